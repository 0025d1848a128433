// Whole bytecode files that `py_compile` of eight Pythons wrote for the two sources below, with the results of `dis`,
// `co_lines` and `repr` for them.

import FoundationEssentials
import Testing

@testable import Bytecode

/// One file. All were compiled as `s.py`, from a source modified at 2024-05-01 12:00:00 UTC.
struct PycSample: Sendable, CustomTestStringConvertible {
    let version: String
    let shape: PycShape
    /// The code objects, outer before inner: name, first and last line.
    let spans: [(name: String, first: Int, last: Int)]
    /// `repr` of the module's constants; `nil` for code objects.
    let constants: [String?]
    let base64: String

    var bytes: [UInt8] { Array(Data(base64Encoded: base64, options: .ignoreUnknownCharacters) ?? Data()) }
    var testDescription: String { "Python \(version)" }

    /// The source for the versions of Python 3. The file of 3.8 has a checked hash, that of 3.13 an unchecked one.
    static let source = #"""
        """doc
        of two lines"""
        import os as o
        from a.b import c
        K = ("x", -2.5, 1j, 3 + 4j, b"\0\xff'", ..., None, True, 1e16, 1e-5, 0.0001, -0.0, 1e308 * 10, "it's", 'a"b\'', "é\u200b")
        L = (10 ** 30, -(1 << 40), 7, 2 ** 31 - 1, "\ud800\n", (1, (2, ())), "long " * 30)


        @o.path(
            1)
        def outer(x, y=1, *rest, z=None, **more):
            global g
            g = x in {3}

            class Inner:
                async def m(self):
                    """A docstring
                    of lines"""
                    return [self + v
                            for v in rest
                            if v]

            return lambda: (yield Inner,
                            x)


        for i in K: pass
        """#

    /// The source for Python 2.7.
    static let sourceOfPython2 = #"""
        """doc
        of two lines"""
        import os as o
        K = (u"x\u20ac", -2.5, 1j, 3 + 4j, "\0\xff'", None, True, 1e16, 1e-5, "it's", 5L, 10 ** 30, -(1 << 40), u"\ud800\n")


        @o.path(
            1)
        def outer(x, (y, q)=(1, 2), *rest, **more):
            global g
            g = x

            class Inner:
                def m(self):
                    """A docstring
                    of lines"""
                    return [self + v
                            for v in rest
                            if v]

            return lambda: (yield Inner,
                            x)


        print K
        """#

    static let all = [
        PycSample(
            version: "2.7.18", shape: PycShape(headerLength: 8, layout: .python2),
            spans: [("<module>", 2, 25), ("outer", 7, 21), ("Inner", 13, 14), ("m", 14, 19), ("<lambda>", 21, 22)],
            constants: [
                #"'doc\nof two lines'"#, #"-1"#, #"None"#, #"u'x\u20ac'"#, #"-2.5"#, #"1j"#, #"3"#, #"4j"#,
                #""\x00\xff'""#, #"1e+16"#, #"1e-05"#, #""it's""#, #"5L"#, #"10"#, #"30"#, #"1"#, #"40"#,
                #"u'\ud800\n'"#, #"2"#, nil, #"(3+4j)"#, #"1000000000000000000000000000000L"#, #"1099511627776"#,
                #"-1099511627776"#, #"(1, 2)"#,
            ],
            base64: """
                A/MNCsAuMmZjAAAAAAAAAAAOAAAAQAAAAHNmAAAAZAAAWgAAZAEAZAIAbAEAWgIAZAMAZAQAZAUAZBQAZAgAZAIAZQQAZAkAZAoAZAsA
                ZAwAZBUAZBcAZBEAZg4AWgUAZQIAagYAZA8AgwEAZBgAZBMAhAEAgwEAWgcAZQUAR0hkAgBTKBkAAABzEAAAAGRvYwpvZiB0d28gbGlu
                ZXNp/////051BAAAAHjigqxnAAAAAAAABMB5AAAAAAAAAAAAAAAAAADwP2kDAAAAeQAAAAAAAAAAAAAAAAAAEEBzAwAAAAD/J2cAgOA3
                ecNBQ2fxaOOItfjkPnMEAAAAaXQnc2wBAAAABQBpCgAAAGkeAAAAaQEAAABpKAAAAHUEAAAA7aCACmkCAAAAYwIAAAAGAAAABAAAAA8A
                AABzOwAAAHwBAFwCAH0EAH0FAIgCAGEAAGQBAGQEAIcBAGYBAGQCAIYAAIMAAFmJAACHAACHAgBmAgBkAwCGAABTKAUAAABOdAUAAABJ
                bm5lcmMAAAAAAAAAAAIAAAACAAAAcxcAAABlAABaAQCHAABmAQBkAACGAABaAgBSUygBAAAAYwEAAAACAAAABAAAABMAAABzIQAAAGcA
                AIgAAERdFgB9AQB8AQByBwB8AAB8AQAXXgIAcQcAUygBAAAAcyAAAABBIGRvY3N0cmluZwogICAgICAgICAgICBvZiBsaW5lcygAAAAA
                KAIAAAB0BAAAAHNlbGZ0AQAAAHYoAQAAAHQEAAAAcmVzdCgAAAAAcwQAAABzLnB5dAEAAABtDgAAAHMGAAAAAAMDAQoBKAMAAAB0CAAA
                AF9fbmFtZV9fdAoAAABfX21vZHVsZV9fUgQAAAAoAAAAACgBAAAAUgMAAAAoAAAAAHMEAAAAcy5weVIAAAAADQAAAHMCAAAABgFjAAAA
                AAAAAAACAAAAMwAAAHMPAAAAiAAAiAEAZgIAVgFkAABTKAEAAABOKAAAAAAoAAAAACgCAAAAUgAAAAB0AQAAAHgoAAAAAHMEAAAAcy5w
                eXQIAAAAPGxhbWJkYT4VAAAAcwIAAAADASgAAAAAKAEAAAB0AQAAAGcoBgAAAFIHAAAAdAIAAAAuMVIDAAAAdAQAAABtb3JldAEAAAB5
                dAEAAABxKAAAAAAoAwAAAFIAAAAAUgMAAABSBwAAAHMEAAAAcy5weXQFAAAAb3V0ZXIHAAAAcwgAAAADAgkCBgIZCHkAAAAAAAAIQAAA
                AAAAABBAbAcAAAAAAAAAqTenMwRNk2UnA0kAAAAAAAEAAEkAAAAAAP///ygCAAAAaQEAAABpAgAAACgIAAAAdAcAAABfX2RvY19fdAIA
                AABvc3QBAAAAb3QEAAAATm9uZXQEAAAAVHJ1ZXQBAAAAS3QEAAAAcGF0aFIOAAAAKAAAAAAoAAAAACgAAAAAcwQAAABzLnB5dAgAAAA8
                bW9kdWxlPgIAAABzDAAAAAYBDAEwAwYBBgEPEA==
                """),
        PycSample(
            version: "3.6.15", shape: PycShape(headerLength: 12, layout: .keywordOnly),
            spans: [
                ("<module>", 2, 27), ("outer", 9, 23), ("Inner", 15, 16), ("m", 16, 20), ("<listcomp>", 19, 21),
                ("<lambda>", 23, 24),
            ],
            constants: [
                #"'doc\nof two lines'"#, #"0"#, #"None"#, #"('c',)"#, #"'x'"#, #"2.5"#, #"1j"#, #"3"#, #"4j"#,
                #"b"\x00\xff'""#, #"Ellipsis"#, #"True"#, #"1e+16"#, #"1e-05"#, #"0.0001"#, #"0.0"#, #"1e+308"#, #"10"#,
                #""it's""#, #"'a"b\''"#, #"'é\u200b'"#, #"30"#, #"1"#, #"40"#, #"7"#, #"2"#, #"31"#, #"'\ud800\n'"#,
                #"'long '"#, #"('z',)"#, nil, #"'outer'"#, #"-2.5"#, #"(3+4j)"#, #"-0.0"#, #"inf"#,
                #"('x', -2.5, 1j, (3+4j), b"\x00\xff'", Ellipsis, None, True, 1e+16, 1e-05, 0.0001, -0.0, inf, "it's", 'a"b\'', 'é\u200b')"#,
                #"1000000000000000000000000000000"#, #"1099511627776"#, #"-1099511627776"#, #"2147483648"#,
                #"2147483647"#, #"(1,)"#,
            ],
            base64: """
                Mw0NCsAuMmZmAgAA4wAAAAAAAAAAAAAAABAAAABAAAAAc2YAAABkAFoAZAFkAmwBWgJkAWQDbANtBFoEAQBkJFoFZCVkJ2QYZClkG2QW
                ZBlmAGYCZgJkHGQVFABmB1oGZQJqB2QWgwFkKmQCZB2cAWQeZB+EA4MBWgh4DGUFRABdBFoJcVpXAGQCUwApK3oQZG9jCm9mIHR3byBs
                aW5lc+kAAAAATikB2gFj2gF4ZwAAAAAAAARA+QAAAAAAAAAAAAAAAAAA8D/pAwAAAHkAAAAAAAAAAAAAAAAAABBA8wMAAAAA/ycuVOcA
                gOA3ecNBQ+fxaOOItfjkPuctQxzr4jYaP2cAAAAAAAAAAGegyOuF88zhf+kKAAAA+gRpdCdz+gRhImIn9QUAAADDqeKAi+keAAAA6QEA
                AADpKAAAAOkHAAAA6QIAAADpHwAAAHUEAAAA7aCACnoFbG9uZyApAdoBemMCAAAAAQAAAAUAAAAEAAAADwAAAHMoAAAAiAJkBmsGYQBH
                AIcBZgFkAmQDhAhkA4MCiQCHAIcCZgJkBGQFhAhTACkHTnIFAAAAYwAAAAAAAAAAAAAAAAMAAAAAAAAAcxgAAABlAFoBZABaAocAZgFk
                AWQChAhaA2QDUwApBHoUb3V0ZXIuPGxvY2Fscz4uSW5uZXJjAQAAAAAAAAABAAAAAwAAAJMAAABzEgAAAIcAZgFkAWQChAiIAUQAgwFT
                ACkDeiBBIGRvY3N0cmluZwogICAgICAgICAgICBvZiBsaW5lc2MBAAAAAAAAAAIAAAAEAAAAEwAAAHMYAAAAZwB8AF0QfQF8AXIEiAB8
                ARcAkQJxBFMAqQByFQAAACkC2gIuMNoBdikB2gRzZWxmchUAAAD6BHMucHn6CjxsaXN0Y29tcD4TAAAAcwQAAAAGAQIBeipvdXRlci48
                bG9jYWxzPi5Jbm5lci5tLjxsb2NhbHM+LjxsaXN0Y29tcD5yFQAAACkBchgAAAApAdoEcmVzdCkBchgAAAByGQAAANoBbRAAAABzBAAA
                AAADCgF6Fm91dGVyLjxsb2NhbHM+LklubmVyLm1OKQTaCF9fbmFtZV9f2gpfX21vZHVsZV9f2gxfX3F1YWxuYW1lX19yHAAAAHIVAAAA
                KQFyGwAAAHIVAAAAchkAAADaBUlubmVyDwAAAHMCAAAACAFyIAAAAGMAAAAAAAAAAAAAAAACAAAAMwAAAHMKAAAAiACIAWYCVgBTACkB
                TnIVAAAAchUAAAApAnIgAAAAcgMAAAByFQAAAHIZAAAA2gg8bGFtYmRhPhcAAABzAgAAAAIBehdvdXRlci48bG9jYWxzPi48bGFtYmRh
                Pj4BAAAAcgUAAAApAdoBZykFcgMAAADaAXlyFAAAAHIbAAAAWgRtb3JlchUAAAApA3IgAAAAchsAAAByAwAAAHIZAAAA2gVvdXRlcgkA
                AABzBgAAAAAECAISCHIkAAAA5wAAAAAAAATA+QAAAAAAAAhAAAAAAAAAEEDnAAAAAAAAAIDnAAAAAAAA8H8pEHIDAAAAciUAAAByBAAA
                AHImAAAAcgYAAAAuTlRyBwAAAHIIAAAAcgkAAAByJwAAAHIoAAAAcgsAAAByDAAAAHINAAAAbAcAAAAAAAAAqTenMwRNk2UnA2wDAAAA
                AAAAAAAEbP3///8AAAAAAARsAwAAAAAAAAACAGn///9/KQFyDwAAACkK2gdfX2RvY19f2gJvc9oBb1oDYS5icgIAAADaAUvaAUzaBHBh
                dGhyJAAAANoBaXIVAAAAchUAAAByFQAAAHIZAAAA2gg8bW9kdWxlPgIAAABzEgAAAAQBCAEMAQQBHgMEAQQBEhAKAA==
                """),
        PycSample(
            version: "3.8.18", shape: PycShape(headerLength: 16, layout: .positionalOnly),
            spans: [
                ("<module>", 1, 27), ("outer", 9, 23), ("Inner", 15, 16), ("m", 16, 20), ("<listcomp>", 19, 21),
                ("<lambda>", 23, 24),
            ],
            constants: [
                #"'doc\nof two lines'"#, #"0"#, #"None"#, #"('c',)"#,
                #"('x', -2.5, 1j, (3+4j), b"\x00\xff'", Ellipsis, None, True, 1e+16, 1e-05, 0.0001, -0.0, inf, "it's", 'a"b\'', 'é\u200b')"#,
                #"(1000000000000000000000000000000, -1099511627776, 7, 2147483647, '\ud800\n', (1, (2, ())), 'long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long ')"#,
                #"1"#, #"('z',)"#, nil, #"'outer'"#, #"(1,)"#,
            ],
            base64: """
                VQ0NCgMAAACuvssVkwaZc+MAAAAAAAAAAAAAAAAAAAAABQAAAEAAAABzSAAAAGQAWgBkAWQCbAFaAmQBZANsA20EWgQBAGQEWgVkBVoG
                ZQKgB2QGoQFkCmQCZAecAWQIZAmEA4MBWghlBUQAXQRaCXE+ZAJTACkLehBkb2MKb2YgdHdvIGxpbmVz6QAAAABOKQHaAWMpENoBeGcA
                AAAAAAAEwHkAAAAAAAAAAAAAAAAAAPA/eQAAAAAAAAhAAAAAAAAAEEBzAwAAAAD/Jy5OVGcAgOA3ecNBQ2fxaOOItfjkPmctQxzr4jYa
                P2cAAAAAAAAAgGcAAAAAAADwf3oEaXQnc3oEYSJiJ3UFAAAAw6nigIspB2wHAAAAAAAAAKk3pzMETZNlJwNs/f///wAAAAAABOkHAAAA
                af///391BAAAAO2ggAopAukBAAAAKQLpAgAAAKkAepZsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBs
                b25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25n
                IGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyByBQAAACkB2gF6YwIAAAAAAAAAAQAAAAUAAAAEAAAADwAAAHMoAAAAiAJkAWsGYQBHAIcB
                ZgFkAmQDhAhkA4MCiQCHAIcCZgJkBGQFhAhTACkGTj4BAAAA6QMAAABjAAAAAAAAAAAAAAAAAAAAAAMAAAAAAAAAcxgAAABlAFoBZABa
                AocAZgFkAWQChAhaA2QDUwApBHoUb3V0ZXIuPGxvY2Fscz4uSW5uZXJjAQAAAAAAAAAAAAAAAQAAAAMAAACTAAAAcxIAAACHAGYBZAFk
                AoQIiAFEAIMBUwApA3ogQSBkb2NzdHJpbmcKICAgICAgICAgICAgb2YgbGluZXNjAQAAAAAAAAAAAAAAAgAAAAQAAAATAAAAcxgAAABn
                AHwAXRB9AXwBcgSIAHwBFwCRAnEEUwByBwAAAHIHAAAAKQLaAi4w2gF2qQHaBHNlbGZyBwAAAPoEcy5wedoKPGxpc3Rjb21wPhMAAABz
                BgAAAAYBAgEE/noqb3V0ZXIuPGxvY2Fscz4uSW5uZXIubS48bG9jYWxzPi48bGlzdGNvbXA+cgcAAAByDAAAAKkB2gRyZXN0cgwAAABy
                DgAAANoBbRAAAABzBgAAAAADCgEC/3oWb3V0ZXIuPGxvY2Fscz4uSW5uZXIubU4pBNoIX19uYW1lX1/aCl9fbW9kdWxlX1/aDF9fcXVh
                bG5hbWVfX3ISAAAAcgcAAAByEAAAAHIHAAAAcg4AAADaBUlubmVyDwAAAHMCAAAACAFyFgAAAGMAAAAAAAAAAAAAAAAAAAAAAgAAADMA
                AABzCgAAAIgAiAFmAlYAUwApAU5yBwAAAHIHAAAAKQJyFgAAAHIDAAAAcgcAAAByDgAAANoIPGxhbWJkYT4XAAAAcwQAAAACAQL/ehdv
                dXRlci48bG9jYWxzPi48bGFtYmRhPikB2gFnKQVyAwAAANoBeXIIAAAAchEAAABaBG1vcmVyBwAAACkDchYAAAByEQAAAHIDAAAAcg4A
                AADaBW91dGVyCQAAAHMGAAAAAAQIAhIIchoAAAApAXIFAAAAKQraB19fZG9jX1/aAm9z2gFvWgNhLmJyAgAAANoBS9oBTNoEcGF0aHIa
                AAAA2gFpcgcAAAByBwAAAHIHAAAAcg4AAADaCDxtb2R1bGU+AQAAAHMUAAAABAIIAQwBBAEEAwQBAv8CAhIQCAA=
                """),
        PycSample(
            version: "3.9.16 (PyPy)", shape: PycShape(headerLength: 16, layout: .positionalOnly),
            spans: [
                ("<module>", 1, 27), ("outer", 9, 23), ("Inner", 15, 16), ("m", 16, 20), ("<listcomp>", 19, 21),
                ("<lambda>", 23, 24),
            ],
            constants: [
                #"'doc\nof two lines'"#, #"0"#, #"None"#, #"('c',)"#,
                #"('x', -2.5, 1j, (3+4j), b"\x00\xff'", Ellipsis, None, True, 1e+16, 1e-05, 0.0001, -0.0, inf, "it's", 'a"b\'', 'é\u200b')"#,
                #"1000000000000000000000000000000"#, #"-1099511627776"#, #"7"#, #"2147483647"#, #"'\ud800\n'"#,
                #"(1, (2, ()))"#, #"'long '"#, #"30"#, #"1"#, #"(1,)"#, #"('z',)"#, nil, #"'outer'"#,
            ],
            base64: """
                UAENCgAAAADALjJmZgIAAGMAAAAAAAAAAAAAAAAAAAAACAAAAEAAAAJzWgAAAGQAWgBkAWQCbAFaAmQBZANsA20EWgQBAGQEWgVkBWQG
                ZAdkCGQJZApkC2QMFABmB1oGZQKgB2QNoQFkDmQCZA+cAWQQZBGEA4MBWghlBUQAXQRaCXFQZAJTACkS+hBkb2MKb2YgdHdvIGxpbmVz
                aQAAAABOKQHaAWMpENoBeGcAAAAAAAAEwHkAAAAAAAAAAAAAAAAAAPA/eQAAAAAAAAhAAAAAAAAAEEDzAwAAAAD/Jy5OVGcAgOA3ecNB
                Q2fxaOOItfjkPmctQxzr4jYaP2cAAAAAAAAAgGcAAAAAAADwf/oEaXQnc/oEYSJiJ/UFAAAAw6nigIvsBwAAAAAAAACpN6czBE2TZScD
                7P3///8AAAAAAARpBwAAAGn///9/9QQAAADtoIAKKQJpAQAAACkCaQIAAAApAPoFbG9uZyBpHgAAAGkBAAAAKQFpAQAAACkB+gF6YwIA
                AAAAAAAAAQAAAAUAAAAEAAAADwAAAHMoAAAAiAJkAXYAYQBHAIcBZgFkAmQDhAhkBIMCiQCHAIcCZgJkBWQGhAhTACkHTr4BAAAAaQMA
                AABjAQAAAAAAAAAAAAAAAQAAAAMAAAAAAAAAcxgAAABlAFoBZAFaAocAZgFkAmQDhAhaA2QAUwApBE76FG91dGVyLjxsb2NhbHM+Lklu
                bmVyYwEAAAAAAAAAAAAAAAEAAAADAAAAgwAAAnMSAAAAhwBmAWQBZAKECIgBRACDAVMAKQP6IEEgZG9jc3RyaW5nCiAgICAgICAgICAg
                IG9mIGxpbmVzYwEAAAAAAAAAAAAAAAIAAAAEAAAAEwAAAHMYAAAAZwB8AF0QfQF8AXIEiAB8ARcAkQJxBFMAKQApACkC+gIuMPoBdikB
                +gRzZWxmKQD6BHMucHl6CjxsaXN0Y29tcD4TAAAAcwYAAAAGAQIBAv76Km91dGVyLjxsb2NhbHM+LklubmVyLm0uPGxvY2Fscz4uPGxp
                c3Rjb21wPikAKQH6BHNlbGYpAfoEcmVzdCkB+gRzZWxm+gRzLnB52gFtEAAAAHMGAAAAAAMKAQL/+hZvdXRlci48bG9jYWxzPi5Jbm5l
                ci5tKQTaCF9fbmFtZV9f2gpfX21vZHVsZV9f2gxfX3F1YWxuYW1lX19yGAAAACkB+gpfX2xvY2Fsc19fKQH6BHJlc3QpAPoEcy5wedoF
                SW5uZXIPAAAAcwIAAAAIAfoUb3V0ZXIuPGxvY2Fscz4uSW5uZXJyIAAAAGMAAAAAAAAAAAAAAAAAAAAAAgAAADMAAABzCgAAAIgAiAFm
                AlYAUwApAU4pACkAKQJyIAAAAHICAAAAKQD6BHMucHl6CDxsYW1iZGE+FwAAAHMEAAAAAgEC//oXb3V0ZXIuPGxvY2Fscz4uPGxhbWJk
                YT4pAdoBZykFcgIAAAD6AXn6AXr6BHJlc3T6BG1vcmUpACkDciAAAAD6BHJlc3RyAgAAAPoEcy5wedoFb3V0ZXIJAAAAcwYAAAAABAgC
                EghyKwAAACkK2gdfX2RvY19f2gJvc9oBb9oDYS5icgEAAADaAUvaAUzaBHBhdGhyKwAAANoBaSkAKQApAPoEcy5weXoIPG1vZHVsZT4B
                AAAAcxIAAAAEAggBDAEEARYDBAEC/wICEhA=
                """),
        PycSample(
            version: "3.10.13", shape: PycShape(headerLength: 16, layout: .positionalOnly),
            spans: [
                ("<module>", 1, 27), ("outer", 9, 23), ("Inner", 15, 16), ("m", 16, 20), ("<listcomp>", 19, 21),
                ("<lambda>", 23, 24),
            ],
            constants: [
                #"'doc\nof two lines'"#, #"0"#, #"None"#, #"('c',)"#,
                #"('x', -2.5, 1j, (3+4j), b"\x00\xff'", Ellipsis, None, True, 1e+16, 1e-05, 0.0001, -0.0, inf, "it's", 'a"b\'', 'é\u200b')"#,
                #"(1000000000000000000000000000000, -1099511627776, 7, 2147483647, '\ud800\n', (1, (2, ())), 'long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long ')"#,
                #"1"#, #"('z',)"#, nil, #"'outer'"#, #"(1,)"#,
            ],
            base64: """
                bw0NCgAAAADALjJmZgIAAOMAAAAAAAAAAAAAAAAAAAAABQAAAEAAAABzSAAAAGQAWgBkAWQCbAFaAmQBZANsA20EWgQBAGQEWgVkBVoG
                ZQKgB2QGoQFkCmQCZAecAWQIZAmEA4MBWghlBUQAXQJaCXEfZAJTACkLehBkb2MKb2YgdHdvIGxpbmVz6QAAAABOKQHaAWMpENoBeGcA
                AAAAAAAEwHkAAAAAAAAAAAAAAAAAAPA/eQAAAAAAAAhAAAAAAAAAEEBzAwAAAAD/Jy5OVGcAgOA3ecNBQ2fxaOOItfjkPmctQxzr4jYa
                P2cAAAAAAAAAgGcAAAAAAADwf3oEaXQnc3oEYSJiJ3UFAAAAw6nigIspB2wHAAAAAAAAAKk3pzMETZNlJwNs/f///wAAAAAABOkHAAAA
                af///391BAAAAO2ggAopAukBAAAAKQLpAgAAAKkAepZsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBs
                b25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25n
                IGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyByBQAAACkB2gF6YwIAAAAAAAAAAQAAAAUAAAAEAAAADwAAAHMoAAAAiAJkAXYAYQBHAIcB
                ZgFkAmQDhAhkA4MCiQCHAIcCZgJkBGQFhAhTACkGTj4BAAAA6QMAAABjAAAAAAAAAAAAAAAAAAAAAAMAAAAAAAAAcxgAAABlAFoBZABa
                AocAZgFkAWQChAhaA2QDUwApBHoUb3V0ZXIuPGxvY2Fscz4uSW5uZXJjAQAAAAAAAAAAAAAAAQAAAAMAAACTAAAAcxQAAACBAYcAZgFk
                AWQChAiIAUQAgwFTACkDeiBBIGRvY3N0cmluZwogICAgICAgICAgICBvZiBsaW5lc2MBAAAAAAAAAAAAAAACAAAABAAAABMAAABzGAAA
                AGcAfABdCH0BfAFyAogAfAEXAJECcQJTAHIHAAAAcgcAAAApAtoCLjDaAXapAdoEc2VsZnIHAAAA+gRzLnB52go8bGlzdGNvbXA+EwAA
                AHMIAAAABgACAQIBDv56Km91dGVyLjxsb2NhbHM+LklubmVyLm0uPGxvY2Fscz4uPGxpc3Rjb21wPnIHAAAAcgwAAACpAdoEcmVzdHIM
                AAAAcg4AAADaAW0QAAAAcwgAAAACgAoDAgEG/3oWb3V0ZXIuPGxvY2Fscz4uSW5uZXIubU4pBNoIX19uYW1lX1/aCl9fbW9kdWxlX1/a
                DF9fcXVhbG5hbWVfX3ISAAAAcgcAAAByEAAAAHIHAAAAcg4AAADaBUlubmVyDwAAAHMEAAAACAAQAXIWAAAAYwAAAAAAAAAAAAAAAAAA
                AAACAAAAMwAAAHMMAAAAgQCIAIgBZgJWAFMAKQFOcgcAAAByBwAAACkCchYAAAByAwAAAHIHAAAAcg4AAADaCDxsYW1iZGE+FwAAAHMI
                AAAAAoACAAIBBv96F291dGVyLjxsb2NhbHM+LjxsYW1iZGE+KQHaAWcpBXIDAAAA2gF5cggAAAByEQAAAFoEbW9yZXIHAAAAKQNyFgAA
                AHIRAAAAcgMAAAByDgAAANoFb3V0ZXIJAAAAcwYAAAAIBBICDghyGgAAACkBcgUAAAApCtoHX19kb2NfX9oCb3PaAW9aA2EuYnICAAAA
                2gFL2gFM2gRwYXRochoAAADaAWlyBwAAAHIHAAAAcgcAAAByDgAAANoIPG1vZHVsZT4BAAAAcxQAAAAEAAgCDAEEAQQBBAMCAQL/EgIO
                EA==
                """),
        PycSample(
            version: "3.11.7", shape: PycShape(headerLength: 16, layout: .localsPlus),
            spans: [
                ("<module>", 1, 27), ("outer", 9, 24), ("Inner", 15, 21), ("m", 16, 21), ("<listcomp>", 19, 21),
                ("<lambda>", 23, 24),
            ],
            constants: [
                #"'doc\nof two lines'"#, #"0"#, #"None"#, #"('c',)"#,
                #"('x', -2.5, 1j, (3+4j), b"\x00\xff'", Ellipsis, None, True, 1e+16, 1e-05, 0.0001, -0.0, inf, "it's", 'a"b\'', 'é\u200b')"#,
                #"(1000000000000000000000000000000, -1099511627776, 7, 2147483647, '\ud800\n', (1, (2, ())), 'long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long ')"#,
                #"1"#, #"('z',)"#, nil, #"(1,)"#,
            ],
            base64: """
                pw0NCgAAAADALjJmZgIAAOMAAAAAAAAAAAAAAAAEAAAAAAAAAPNqAAAAlwBkAFoAZAFkAmwBWgJkAWQDbANtBFoEAQBkBFoFZAVaBgIA
                ZQJqBwAAAAAAAAAAZAamAQAAqwEAAAAAAAAAAGQJZAJkB5wBZAiEA6YAAACrAAAAAAAAAAAAWghlBUQAXQJaCYwDZAJTACkKehBkb2MK
                b2YgdHdvIGxpbmVz6QAAAABOKQHaAWMpENoBeGcAAAAAAAAEwHkAAAAAAAAAAAAAAAAAAPA/eQAAAAAAAAhAAAAAAAAAEEBzAwAAAAD/
                Jy5OVGcAgOA3ecNBQ2fxaOOItfjkPmctQxzr4jYaP2cAAAAAAAAAgGcAAAAAAADwf3oEaXQnc3oEYSJiJ3UFAAAAw6nigIspB2wHAAAA
                AAAAAKk3pzMETZNlJwNs/f///wAAAAAABOkHAAAAaf///391BAAAAO2ggAopAukBAAAAKQLpAgAAAKkAepZsb25nIGxvbmcgbG9uZyBs
                b25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25n
                IGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyByBgAAACkB2gF6YwIAAAAAAAAAAQAA
                AAQAAAAPAAAA8zoAAACHAIcDhwWXAIkAZAF2AGEAAgBHAIgDZgFkAoQIZAOmAgAAqwIAAAAAAAAAAIoFiAWIAGYCZASECFMAKQVOPgEA
                AADpAwAAAGMAAAAAAAAAAAAAAAACAAAAAAAAAPMaAAAAlQGXAGUAWgFkAFoCiABmAWQBhAhaA2QCUwApA/oUb3V0ZXIuPGxvY2Fscz4u
                SW5uZXJjAQAAAAAAAAAAAAAAAgAAAJMAAADzJgAAAJUBhwBLAAEAlwCIAGYBZAGECIkBRACmAAAAqwAAAAAAAAAAAFMAKQJ6IEEgZG9j
                c3RyaW5nCiAgICAgICAgICAgIG9mIGxpbmVzYwEAAAAAAAAAAAAAAAQAAAATAAAA8x4AAACVAZcAZwB8AF0JfQF8Aa8EiQJ8AXoAAACR
                AowKUwByCAAAAHIIAAAAKQPaAi4w2gF22gRzZWxmcwMAAAAgIID6BHMucHn6CjxsaXN0Y29tcD56Km91dGVyLjxsb2NhbHM+LklubmVy
                Lm0uPGxvY2Fscz4uPGxpc3Rjb21wPhMAAABzMgAAAPiAAPAAAhQa8AACFBrwAAIUGtgYGdgXGPAFAhQakESYMZFI8AACFBrwAAIUGvAA
                AhQa8wAAAAByCAAAACkCchIAAADaBHJlc3RzAgAAAGCAchMAAADaAW16Fm91dGVyLjxsb2NhbHM+LklubmVyLm0QAAAAczMAAAD4+OgA
                6ACAAPAGAhQa8AACFBrwAAIUGvAAAhQa2B0h8AMCFBrxAAIUGvQAAhQa8AACDRpyFQAAAE4pBNoIX19uYW1lX1/aCl9fbW9kdWxlX1/a
                DF9fcXVhbG5hbWVfX3IXAAAAKQFyFgAAAHMBAAAAgHITAAAA2gVJbm5lcnINAAAADwAAAHMuAAAA+IAAgACAAIAAgADwAgUJGvAABQka
                8AAFCRrwAAUJGvAABQka8AAFCRrwAAUJGnIVAAAAchsAAABjAAAAAAAAAAAAAAAAAgAAADMAAADzFAAAAJUCSwABAJcAiQCJAWYCVgCX
                AVMAKQFOcggAAAApAnIbAAAAcgQAAABzAgAAAICAchMAAAD6CDxsYW1iZGE+ehdvdXRlci48bG9jYWxzPi48bGFtYmRhPhcAAABzIAAA
                APjoAOgAgACYJdgUFfADARsW8AABFRbwAAEVFvAAARUWchUAAAApAdoBZykGcgQAAADaAXlyCQAAAHIWAAAA2gRtb3JlchsAAABzBgAA
                AGAgIGAgQHITAAAA2gVvdXRlcnIhAAAACQAAAHNgAAAA+Pj4gADwCAAJCohTiAiAQfAEBgUa8AAGBRrwAAYFGvAABgUa8AAGBRrwAAYF
                GvAABgUa8QAGBRr0AAYFGvAABgUa8BABDBfwAAEMF/AAAQwX8AABDBfwAAEMF/AAAQUXchUAAAApAXIGAAAAKQraB19fZG9jX1/aAm9z
                2gFv2gNhLmJyAwAAANoBS9oBTNoEcGF0aHIhAAAA2gFpcggAAAByFQAAAHITAAAA+gg8bW9kdWxlPnIqAAAAAQAAAHOJAAAA8AMBAQHw
                AgEBEPAAAQEQ4AAOgA6ADoAO2AAR0AAR0AAR0AAR0AAR0AAR2AR7gAHYBFKAAfAGAAIIgBGEFtgEBfEDAQIH9AABAgfwBA0BF5g08AAN
                ARfwAA0BF/AADQEX8AANARfxBQECB/QAAQIH8AQNARfwIAAKC9AAENAAEIBBgEHQABDQABByFQAAAA==
                """),
        PycSample(
            version: "3.12.1", shape: PycShape(headerLength: 16, layout: .localsPlus),
            spans: [("<module>", 1, 27), ("outer", 9, 24), ("Inner", 15, 21), ("m", 16, 21), ("<lambda>", 23, 24)],
            constants: [
                #"'doc\nof two lines'"#, #"0"#, #"None"#, #"('c',)"#,
                #"('x', -2.5, 1j, (3+4j), b"\x00\xff'", Ellipsis, None, True, 1e+16, 1e-05, 0.0001, -0.0, inf, "it's", 'a"b\'', 'é\u200b')"#,
                #"(1000000000000000000000000000000, -1099511627776, 7, 2147483647, '\ud800\n', (1, (2, ())), 'long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long ')"#,
                #"1"#, #"('z',)"#, nil, #"(1,)"#,
            ],
            base64: """
                yw0NCgAAAADALjJmZgIAAOMAAAAAAAAAAAAAAAAEAAAAAAAAAPNqAAAAlwBkAFoAZAFkAmwBWgJkAWQDbANtBFoEAQBkBFoFZAVaBgIA
                ZQJqDgAAAAAAAAAAAAAAAAAAAAAAAGQGqwEAAAAAAABkCWQCZAecAWQIhAOrAAAAAAAAAFoIZQVEAF0CAABaCYwEBAB5AikKehBkb2MK
                b2YgdHdvIGxpbmVz6QAAAABOKQHaAWMpENoBeGcAAAAAAAAEwHkAAAAAAAAAAAAAAAAAAPA/eQAAAAAAAAhAAAAAAAAAEEBzAwAAAAD/
                Jy5OVGcAgOA3ecNBQ2fxaOOItfjkPmctQxzr4jYaP2cAAAAAAAAAgGcAAAAAAADwf3oEaXQnc3oEYSJiJ3UFAAAAw6nigIspB2wHAAAA
                AAAAAKk3pzMETZNlJwNs/f///wAAAAAABOkHAAAAaf///391BAAAAO2ggAopAukBAAAAKQLpAgAAAKkAepZsb25nIGxvbmcgbG9uZyBs
                b25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25n
                IGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyByBgAAACkB2gF6YwIAAAAAAAAAAQAA
                AAQAAAAPAAAA8zQAAACHAIcDhwWXAIkAZAF2AGEAAgBHAIgDZgFkAoQIZAOrAgAAAAAAAIoFiAWIAGYCZASECFMAKQVOPgEAAADpAwAA
                AGMAAAAAAAAAAAAAAAACAAAAAAAAAPMYAAAAlQGXAGUAWgFkAFoCiABmAWQBhAhaA3kCKQP6FG91dGVyLjxsb2NhbHM+LklubmVyYwEA
                AAAAAAAAAAAAAAUAAACTAAAA80AAAACVAUsAAQCXAIkCRACPAWMCZwBjAl0JAAB9AXwBcgV8AHwBegAAAJECjAsEAGMCfQFTAGMCAQBj
                An0BdwCtA3cBKQF6IEEgZG9jc3RyaW5nCiAgICAgICAgICAgIG9mIGxpbmVzcggAAAApA9oEc2VsZtoBdtoEcmVzdHMDAAAAICCA+gRz
                LnB52gFtehZvdXRlci48bG9jYWxzPi5Jbm5lci5tEAAAAHMwAAAA+OgA+IAA8AgAHiL2AwIUGtgYGdkXGPAFABUZmDGTSPIAAhQa8AAC
                DRr58gACFBr5cwwAAACDBR4BiA4ZBJYIHgFOKQTaCF9fbmFtZV9f2gpfX21vZHVsZV9f2gxfX3F1YWxuYW1lX19yEwAAACkBchEAAABz
                AQAAAIByEgAAANoFSW5uZXJyDQAAAA8AAABzCAAAAPiEAPUCBQka8wAAAAByFwAAAGMAAAAAAAAAAAAAAAACAAAAMwAAAPMUAAAAlQJL
                AAEAlwCJAIkBZgKWAJcBUwApAU5yCAAAACkCchcAAAByBAAAAHMCAAAAgIByEgAAAPoIPGxhbWJkYT56F291dGVyLjxsb2NhbHM+Ljxs
                YW1iZGE+FwAAAHMVAAAA+OgA+IAAmCXYFBXwAwEbFvIAARUWchgAAAApAdoBZykGcgQAAADaAXlyCQAAAHIRAAAA2gRtb3JlchcAAABz
                BgAAAGAgIGAgQHISAAAA2gVvdXRlcnIeAAAACQAAAHMiAAAA+oAA8AgACQqIU4gIgEH3BAYFGvMABgUa9BABDBfwAAEFF3IYAAAAKQFy
                BgAAACkK2gdfX2RvY19f2gJvc9oBb9oDYS5icgMAAADaAUvaAUzaBHBhdGhyHgAAANoBaXIIAAAAchgAAAByEgAAAPoIPG1vZHVsZT5y
                JwAAAAEAAABzUAAAAPADAQEB8QIBARDjAA7dABHYBHuAAdgEUoAB8AYAAgiAEYcWgRbYBAXzAwECB/AEDQEXmDTzAA0BF/MFAQIH8AQN
                ARfwIAAKC9IAEIFB0QAQchgAAAA=
                """),
        PycSample(
            version: "3.13.0", shape: PycShape(headerLength: 16, layout: .localsPlus),
            spans: [("<module>", 1, 27), ("outer", 9, 24), ("Inner", 15, 21), ("m", 16, 21), ("<lambda>", 23, 24)],
            constants: [
                #"'doc\nof two lines'"#, #"0"#, #"None"#, #"('c',)"#,
                #"('x', -2.5, 1j, (3+4j), b"\x00\xff'", Ellipsis, None, True, 1e+16, 1e-05, 0.0001, -0.0, inf, "it's", 'a"b\'', 'é\u200b')"#,
                #"(1000000000000000000000000000000, -1099511627776, 7, 2147483647, '\ud800\n', (1, (2, ())), 'long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long ')"#,
                #"1"#, #"('z',)"#, nil, #"(1,)"#,
            ],
            base64: """
                8w0NCgEAAACS/41E/R4+HeMAAAAAAAAAAAAAAAAEAAAAAAAAAPNyAAAAlQBTAHIAUwFTAksBcgJTAVMDSwNKBHIEIABTBHIFUwVyBlwC
                Ug4AAAAAAAAAAAAAAAAAAAAAAAAiAFMGNQEAAAAAAABTCVMCUwcuAVMIGgBqAmoBNQAAAAAAAAByCFwFEwBIAwAAcglNBQAACwAgAGcC
                KQp6EGRvYwpvZiB0d28gbGluZXPpAAAAAE4pAdoBYykQ2gF4ZwAAAAAAAATAeQAAAAAAAAAAAAAAAAAA8D95AAAAAAAACEAAAAAAAAAQ
                QHMDAAAAAP8nLk5UZwCA4Dd5w0FDZ/Fo44i1+OQ+Zy1DHOviNho/ZwAAAAAAAACAZwAAAAAAAPB/egRpdCdzegRhImIndQUAAADDqeKA
                iykHbAcAAAAAAAAAqTenMwRNk2UnA2z9////AAAAAAAE6QcAAABp////f3UEAAAA7aCACikC6QEAAAApAukCAAAAqQB6lmxvbmcgbG9u
                ZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBs
                b25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIGxvbmcgbG9uZyBsb25nIHIGAAAAKQHaAXpjAgAA
                AAAAAAABAAAABAAAAA8AAADzOgAAAF4AXgNeBZUAVABTATsAAABxABgAIgBVAzQBUwIaAGoIUwM1AgAAAAAAAG0FVQVVADQCUwQaAGoI
                JAApBU4+AQAAAOkDAAAAYwAAAAAAAAAAAAAAAAIAAAAAAAAA8yIAAAA+AZUAXAByAVMAcgJTAXIDVQA0AVMCGgBqCHIEUwNyBWcEKQXa
                FG91dGVyLjxsb2NhbHM+LklubmVy6Q8AAABjAQAAAAAAAAAAAAAABQAAAJMAAADzUAAAAD4BIwAgAJUAVAITAFYBcwIvAHMCSBAAAG4B
                VQEoAAAAAAAAAGQCAABNDAAAWAEtAAAAUAJNEgAACwAgAHMCbgEkAHMCIABzAm4BZgA3A2YBKQF6FEEgZG9jc3RyaW5nCm9mIGxpbmVz
                cggAAAApA9oEc2VsZtoBdtoEcmVzdHMDAAAAICCA2gRzLnB52gFt2hZvdXRlci48bG9jYWxzPi5Jbm5lci5tEAAAAHM0AAAA+OkAgADx
                CAAeIvMDAhQa2R0hmAHcFxjzBQAVHZBElEjZHSHxAwIUGvAAAg0a+fIAAhQa+XMQAAAAgwUmAYgKIQSWCCEEnggmAXIIAAAATikG2ghf
                X25hbWVfX9oKX19tb2R1bGVfX9oMX19xdWFsbmFtZV9f2g9fX2ZpcnN0bGluZW5vX19yFAAAANoVX19zdGF0aWNfYXR0cmlidXRlc19f
                KQFyEgAAAHMBAAAAgHITAAAA2gVJbm5lcnINAAAADwAAAHMNAAAA+IYA9wIFCRrwAAUJGvMAAAAAchsAAABjAAAAAAAAAAAAAAAAAgAA
                ADMAAADzFAAAAD4CIwAgAJUAVABUATQCdgCVASQAKQFOcggAAAApAnIbAAAAcgQAAABzAgAAAICAchMAAADaCDxsYW1iZGE+2hdvdXRl
                ci48bG9jYWxzPi48bGFtYmRhPhcAAABzFAAAAPjpAIAAmCXYFBXwAwEbFvIAARUWchwAAAApAdoBZykGcgQAAADaAXlyCQAAAHISAAAA
                2gRtb3JlchsAAABzBgAAAGAgIGAgQHITAAAA2gVvdXRlcnIjAAAACQAAAHMiAAAA+oAA8AgACQqIU4kIgEH3BAYFGvQABgUa9RABDBfw
                AAEFF3IcAAAAKQFyBgAAACkK2gdfX2RvY19f2gJvc9oBb9oDYS5icgMAAADaAUvaAUzaBHBhdGhyIwAAANoBaXIIAAAAchwAAAByEwAA
                ANoIPG1vZHVsZT5yLAAAAAEAAABzTAAAAPADAQEB8QIBARDjAA7dABHYBHuAAdgEUoAB8AYAAgOHFoIW2AQF8wMBAgfwBA0BF5g09QAN
                ARfzBQECB/AEDQEX8yAACguAQYlEihFyHAAAAA==
                """),
    ]
}
