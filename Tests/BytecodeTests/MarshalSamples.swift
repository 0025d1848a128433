// Bodies of bytecode files from six versions of CPython: the results of
// `marshal.dumps(compile(source, 's.py', 'exec'))` for the two sources below.

import FoundationEssentials
import Testing

@testable import Bytecode

/// The body that one version compiled from `source`, or from `sourceOfPython2`.
struct MarshalSample: Sendable, CustomTestStringConvertible {
    let version: String
    let layout: CodeLayout
    let opcodes: OpcodeTable
    let base64: String

    var body: [UInt8] { Array(Data(base64Encoded: base64, options: .ignoreUnknownCharacters) ?? Data()) }
    var testDescription: String { "Python \(version)" }

    static let wordcode = OpcodeTable(
        storeName: 90, storeGlobal: 97, deleteName: 91, extendedArgument: 144, encoding: .units)

    /// The source for the versions of Python 3.
    static let source = #"""
        import os as o, sys
        from a.b import c
        é = 1 << 40
        __all__ = ("x", -2.5, 1j, 10 ** 30, b"\0\xff", ..., None, True)
        def f(x, *y, z=None):
            global g
            g = {1, 2} | y
            return lambda: x in {3, 4}
        class K:
            s = "\ud800"
        for i in __all__: pass
        del i
        """#

    /// The source for Python 2.7.
    static let sourceOfPython2 = #"""
        import os as o, sys
        from a.b import c
        __all__ = (u"x", -2.5, 1j, 10 ** 30, "\0\xff", None, True)
        def f(x, (y, z)=None):
            global g
            g = x
            return lambda: x
        class K:
            s = u"\ud800"
        exec "h = 1"
        for i in __all__: pass
        del i
        """#

    static let all = [
        MarshalSample(
            version: "2.7.18", layout: .python2,
            opcodes: OpcodeTable(
                storeName: 90, storeGlobal: 97, deleteName: 91, extendedArgument: 145, executeStatement: 85,
                encoding: .variable(firstWithArgument: 90)),
            base64: """
                YwAAAAAAAAAABwAAAEAAAABzggAAAGQAAGQBAGwAAFoBAGQAAGQBAGwCAFoCAGQAAGQCAGwDAG0EAFoEAAFkAwBkBABkBQBkDQBk
                CABkAQBlBgBmBwBaBwBkAQBkCQCEAQBaCABkCgBkDgBkCwCEAACDAABZWgkAZAwAZAEABFV4DgBlBwBEXQYAWgoAcXEAV1sKAGQB
                AFMoDwAAAGn/////TigBAAAAdAEAAABjdQEAAAB4ZwAAAAAAAATAeQAAAAAAAAAAAAAAAAAA8D9pCgAAAGkeAAAAcwIAAAAA/2MC
                AAAABAAAAAIAAAADAAAAcx8AAAB8AQBcAgB9AgB9AwCIAABhAACHAABmAQBkAQCGAABTKAIAAABOYwAAAAAAAAAAAQAAABMAAABz
                BAAAAIgAAFMoAQAAAE4oAAAAACgAAAAAKAEAAAB0AQAAAHgoAAAAAHMEAAAAcy5weXQIAAAAPGxhbWJkYT4HAAAAdAAAAAAoAQAA
                AHQBAAAAZygEAAAAUgEAAAB0AgAAAC4xdAEAAAB5dAEAAAB6KAAAAAAoAQAAAFIBAAAAcwQAAABzLnB5dAEAAABmBAAAAHMGAAAA
                AwAJAgYBdAEAAABLYwAAAAAAAAAAAQAAAEIAAABzDgAAAGUAAFoBAGQAAFoCAFJTKAEAAAB1AwAAAO2ggCgDAAAAdAgAAABfX25h
                bWVfX3QKAAAAX19tb2R1bGVfX3QBAAAAcygAAAAAKAAAAAAoAAAAAHMEAAAAcy5weVIJAAAACAAAAHMCAAAABgFzBQAAAGggPSAx
                bAcAAAAAAAAAqTenMwRNk2UnAygAAAAAKAsAAAB0AgAAAG9zdAEAAABvdAMAAABzeXN0AwAAAGEuYlIAAAAAdAQAAABOb25ldAQA
                AABUcnVldAcAAABfX2FsbF9fUggAAABSCQAAAHQBAAAAaSgAAAAAKAAAAAAoAAAAAHMEAAAAcy5weXQIAAAAPG1vZHVsZT4BAAAA
                cxAAAAAYARABGwEMBBMCCAENAAQB
                """),
        MarshalSample(
            version: "3.6.15", layout: .keywordOnly,
            opcodes: wordcode,
            base64: """
                4wAAAAAAAAAAAAAAAAgAAABAAAAAc1QAAABkAGQBbABaAWQAZAFsAloCZABkAmwDbQRaBAEAZBJaBWQVWgZkAWQNnAFkDmQPhAJa
                B0cAZBBkEYQAZBGDAloIeAxlBkQAXQRaCXFGVwBbCWQBUwApFukAAAAATikB2gFj6QEAAADpKAAAANoBeGcAAAAAAAAEQPkAAAAA
                AAAAAAAAAAAAAPA/6QoAAADpHgAAAPMCAAAAAP8uVCkB2gF6YwEAAAABAAAAAwAAAAMAAAAHAAAAcxgAAABkAWQCaAJ8AkIAYQCH
                AGYBZANkBIQIUwApBU5yAwAAAOkCAAAAYwAAAAAAAAAAAAAAAAMAAAATAAAAcwgAAACIAGQDawZTACkETukDAAAA6QQAAAA+AgAA
                AHIMAAAAcg0AAACpAHIOAAAAKQFyBQAAAHIOAAAA+gRzLnB52gg8bGFtYmRhPggAAABzAAAAAHoTZi48bG9jYWxzPi48bGFtYmRh
                PikB2gFnKQNyBQAAAHIKAAAA2gF5cg4AAAApAXIFAAAAcg8AAADaAWYFAAAAcwQAAAAAAgwBchMAAABjAAAAAAAAAAAAAAAAAQAA
                AEAAAABzEAAAAGUAWgFkAFoCZAFaA2QCUwApA9oBS3UDAAAA7aCATikE2ghfX25hbWVfX9oKX19tb2R1bGVfX9oMX19xdWFsbmFt
                ZV9f2gFzcg4AAAByDgAAAHIOAAAAcg8AAAByFAAAAAkAAABzAgAAAAgBchQAAABsAwAAAAAAAAAABOcAAAAAAAAEwOwHAAAAAAAA
                AKk3pzMETZNlJwMpCHIFAAAAchkAAAByBgAAAHIaAAAAcgkAAAAuTlQpCloCb3PaAW/aA3N5c1oDYS5icgIAAAD0AgAAAMOp2gdf
                X2FsbF9fchMAAAByFAAAANoBaXIOAAAAcg4AAAByDgAAAHIPAAAA2gg8bW9kdWxlPgEAAABzEAAAABABDAEEAQQBDgQOAgoABAE=
                """),
        MarshalSample(
            version: "3.8.18", layout: .positionalOnly,
            opcodes: wordcode,
            base64: """
                YwAAAAAAAAAAAAAAAAAAAAADAAAAQAAAAHNQAAAAZABkAWwAWgFkAGQBbAJaAmQAZAJsA20EWgQBAGQDWgVkBFoGZAFkBZwBZAZk
                B4QCWgdHAGQIZAmEAGQJgwJaCGUGRABdBFoJcURbCWQBUwApCukAAAAATikB2gFjbAMAAAAAAAAAAAQpCNoBeGcAAAAAAAAEwHkA
                AAAAAAAAAAAAAAAAAPA/bAcAAAAAAAAAqTenMwRNk2UnA3MCAAAAAP8uTlQpAdoBemMBAAAAAAAAAAEAAAADAAAAAwAAAAcAAABz
                GAAAAGQBZAJoAnwCQgBhAIcAZgFkA2QEhAhTACkFTukBAAAA6QIAAABjAAAAAAAAAAAAAAAAAAAAAAIAAAATAAAAcwgAAACIAGQB
                awZTACkCTj4CAAAA6QMAAADpBAAAAKkAcggAAACpAXICAAAAcggAAAD6BHMucHnaCDxsYW1iZGE+CAAAAPMAAAAAehNmLjxsb2Nh
                bHM+LjxsYW1iZGE+KQHaAWcpA3ICAAAAcgMAAADaAXlyCAAAAHIJAAAAcgoAAADaAWYFAAAAcwQAAAAAAgwBcg8AAABjAAAAAAAA
                AAAAAAAAAAAAAAEAAABAAAAAcxAAAABlAFoBZABaAmQBWgNkAlMAKQPaAUt1AwAAAO2ggE4pBNoIX19uYW1lX1/aCl9fbW9kdWxl
                X1/aDF9fcXVhbG5hbWVfX9oBc3IIAAAAcggAAAByCAAAAHIKAAAAchAAAAAJAAAAcwIAAAAIAXIQAAAAKQraAm9z2gFv2gNzeXNa
                A2EuYnIBAAAA9AIAAADDqdoHX19hbGxfX3IPAAAAchAAAADaAWlyCAAAAHIIAAAAcggAAAByCgAAANoIPG1vZHVsZT4BAAAAcxAA
                AAAQAQwBBAEEAQ4EDgIIAAIB
                """),
        MarshalSample(
            version: "3.11.7", layout: .localsPlus,
            opcodes: wordcode,
            base64: """
                YwAAAAAAAAAAAAAAAAQAAAAAAAAA81wAAACXAGQAZAFsAFoBZABkAWwCWgJkAGQCbANtBFoEAQBkA1oFZARaBmQBZAWcAWQGhAJa
                BwIARwBkB4QAZAimAgAAqwIAAAAAAAAAAFoIZQZEAF0CWgmMA1sJZAFTACkJ6QAAAABOKQHaAWNsAwAAAAAAAAAABCkI2gF4ZwAA
                AAAAAATAeQAAAAAAAAAAAAAAAAAA8D9sBwAAAAAAAACpN6czBE2TZScDcwIAAAAA/y5OVCkB2gF6YwEAAAAAAAAAAQAAAAIAAAAH
                AAAA8xwAAACHAJcAZAFkAmgCfAJ6BwAAYQCIAGYBZAOECFMAKQRO6QEAAADpAgAAAGMAAAAAAAAAAAAAAAACAAAAEwAAAPMMAAAA
                lQGXAIkAZAF2AFMAKQJOPgIAAADpAwAAAOkEAAAAqQApAXIDAAAAcwEAAACA+gRzLnB5+gg8bGFtYmRhPnoTZi48bG9jYWxzPi48
                bGFtYmRhPggAAABzCwAAAPiAAJAxmAaQO4AA8wAAAAApAdoBZykDcgMAAAByBAAAANoBeXMDAAAAYCAgcgwAAADaAWZyEQAAAAUA
                AABzHwAAAPiAAOAJCohBiAaQEYkKgEHYCx7QCx7QCx7QCx7QBB5yDgAAAGMAAAAAAAAAAAAAAAABAAAAAAAAAPMSAAAAlwBlAFoB
                ZABaAmQBWgNkAlMAKQPaAUt1AwAAAO2ggE4pBNoIX19uYW1lX1/aCl9fbW9kdWxlX1/aDF9fcXVhbG5hbWVfX9oBc3ILAAAAcg4A
                AAByDAAAAHITAAAAchMAAAAJAAAAcxMAAACAAIAAgACAAIAA2AgQgEGAQYBBcg4AAAByEwAAACkK2gJvc9oBb9oDc3lz2gNhLmJy
                AgAAAPQCAAAAw6naB19fYWxsX19yEQAAAHITAAAA2gFpcgsAAAByDgAAAHIMAAAA+gg8bW9kdWxlPnIfAAAAAQAAAHORAAAA8AMB
                AQHYABPQABPQABPQABPQABPQABPQABPQABPYABHQABHQABHQABHQABHQABHYBQyAAtgKP4AH2A8T8AADAR/wAAMBH/AAAwEf8AAD
                AR/wAAMBH/AIAQER8AABARHwAAEBEfAAAQER8AABARHxAAEBEfQAAQER8AABARHgCRDQABbQABaAQYBB2AQFgEGAQXIOAAAA
                """),
        MarshalSample(
            version: "3.12.1", layout: .localsPlus,
            opcodes: wordcode,
            base64: """
                YwAAAAAAAAAAAAAAAAQAAAAAAAAA81gAAACXAGQAZAFsAFoBZABkAWwCWgJkAGQCbANtBFoEAQBkA1oFZARaBmQBZAWcAWQGhAJa
                BwIARwBkB4QAZAirAgAAAAAAAFoIZQZEAF0CAABaCYwEBABbCXkBKQnpAAAAAE4pAdoBY2wDAAAAAAAAAAAEKQjaAXhnAAAAAAAA
                BMB5AAAAAAAAAAAAAAAAAADwP2wHAAAAAAAAAKk3pzMETZNlJwNzAgAAAAD/Lk5UKQHaAXpjAQAAAAAAAAABAAAAAgAAAAcAAADz
                HAAAAIcAlwBkAWQCaAJ8AnoHAABhAIgAZgFkA4QIUwApBE7pAQAAAOkCAAAAYwAAAAAAAAAAAAAAAAIAAAATAAAA8wwAAACVAZcA
                iQBkAXYAUwApAk4+AgAAAOkDAAAA6QQAAACpACkBcgMAAABzAQAAAID6BHMucHn6CDxsYW1iZGE+ehNmLjxsb2NhbHM+LjxsYW1i
                ZGE+CAAAAHMLAAAA+IAAkDGYBpA7gADzAAAAACkB2gFnKQNyAwAAAHIEAAAA2gF5cwMAAABgICByDAAAANoBZnIRAAAABQAAAHMW
                AAAA+IAA4AkKiEGIBpARiQqAQdsLHtAEHnIOAAAAYwAAAAAAAAAAAAAAAAEAAAAAAAAA8xAAAACXAGUAWgFkAFoCZAFaA3kCKQPa
                AUt1AwAAAO2ggE4pBNoIX19uYW1lX1/aCl9fbW9kdWxlX1/aDF9fcXVhbG5hbWVfX9oBc3ILAAAAcg4AAAByDAAAAHITAAAAchMA
                AAAJAAAAcwcAAACEANgIEIFBcg4AAAByEwAAACkK2gJvc9oBb9oDc3lz2gNhLmJyAgAAAPQCAAAAw6naB19fYWxsX19yEQAAAHIT
                AAAA2gFpcgsAAAByDgAAAHIMAAAA+gg8bW9kdWxlPnIfAAAAAQAAAHM1AAAA8AMBAQHfABPdABHYBQyAAtgKP4AH2A8T9AADAR/3
                CAEBEfEAAQER4AkQ0gAWgUHQABbZBAVyDgAAAA==
                """),
        MarshalSample(
            version: "3.13.0", layout: .localsPlus,
            opcodes: OpcodeTable(
                storeName: 114, storeGlobal: 113, deleteName: 67, extendedArgument: 71, encoding: .units),
            base64: """
                YwAAAAAAAAAAAAAAAAQAAAAAAAAA814AAACVAFMAUwFLAHIBUwBTAUsCcgJTAFMCSwNKBHIEIABTA3IFUwRyBlMBUwUuAVMGGgBq
                AnIHGAAiAFMHGgBTCDUCAAAAAAAAcghcBhMASAMAAHIJTQUAAAsAIABDCWcBKQnpAAAAAE4pAdoBY2wDAAAAAAAAAAAEKQjaAXhn
                AAAAAAAABMB5AAAAAAAAAAAAAAAAAADwP2wHAAAAAAAAAKk3pzMETZNlJwNzAgAAAAD/Lk5UKQHaAXpjAQAAAAAAAAABAAAAAgAA
                AAcAAADzHgAAAF4AlQBTAVMCMQJVAi0HAABxAFUANAFTAxoAaggkACkETukBAAAA6QIAAABjAAAAAAAAAAAAAAAAAgAAABMAAADz
                DgAAAD4BlQBUAFMBOwAAACQAKQJOPgIAAADpAwAAAOkEAAAAqQApAXIDAAAAcwEAAACA2gRzLnB52gg8bGFtYmRhPtoTZi48bG9j
                YWxzPi48bGFtYmRhPggAAABzCQAAAPiAAJAxmAaSO/MAAAAAKQHaAWcpA3IDAAAAcgQAAADaAXlzAwAAAGAgIHIMAAAA2gFmchIA
                AAAFAAAAcxYAAAD4gADgCQqIQYgGkBGJCoBB3Ase0AQecg8AAABjAAAAAAAAAAAAAAAAAQAAAAAAAADzGAAAAJUAXAByAVMAcgJT
                AXIDUwJyBFMDcgVnBCkF2gFL6QkAAAB1AwAAAO2ggHILAAAATikG2ghfX25hbWVfX9oKX19tb2R1bGVfX9oMX19xdWFsbmFtZV9f
                2g9fX2ZpcnN0bGluZW5vX1/aAXPaFV9fc3RhdGljX2F0dHJpYnV0ZXNfX3ILAAAAcg8AAAByDAAAAHIUAAAAchQAAAAJAAAAcwcA
                AACGANgIEINBcg8AAAByFAAAACkK2gJvc9oBb9oDc3lz2gNhLmJyAgAAAPQCAAAAw6naB19fYWxsX19yEgAAAHIUAAAA2gFpcgsA
                AAByDwAAAHIMAAAA2gg8bW9kdWxlPnIjAAAAAQAAAHMzAAAA8AMBAQHfABPdABHYBQyAAtgKP4AH2A8T9QADAR/3CAEBEfEAAQER
                4wkQgEGRJIkX2QQFcg8AAAA=
                """),
    ]
}
