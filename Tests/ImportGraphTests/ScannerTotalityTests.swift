// For any bytes, the scanner finishes quickly and without a trap.

import Testing

@testable import ImportGraph

struct ScannerTotalityTests {
    static let nastySources = [
        """
        \u{FEFF}# -*- coding: utf-8 -*-
        from __future__ import (annotations as x, \\
            division,)
        import a.b as c, d; lazy from ..e import *
        if TYPE_CHECKING and (not sys.platform == "win32"): import f
        elif sys.version_info[:2] >= (3, 8) or os.name in ('nt', "posix"): import g
        else:
        \tdef h(x=lambda: {1: 2}, *, y: int = f'{x!r:>{y}{{z}}}') -> None: import i
        """,
        """
        try:
            x = f'''{t"{a['b']:{c}}"}\\N{BULLET}\\{d} {e # }
            :%H:%M}''' + rb'\\'' + \"\"\"\\\"\"\"\"
            importlib.import_module(".a", package="b"); __import__('c', globals(), locals(), ["d", u'e'], -1)
        except (ImportError, ValueError), e: from . . import (f as g, # h
          i)
        except* Exception: import j
        with contextlib.suppress(ImportError): import k
        async def l(): import m
        match n:
            case {'o': [p, *_]} if lambda: q: import r
        """,
        "from importlib import import_module as im\r\nx = im ( 'a' )\rif x := y: import \\\r\n b\u{0C}\nelse:import c\\",
    ]

    /// Checks that positions are in the source and ascending.
    @discardableResult
    private func checkOrder(_ source: [UInt8]) -> [ImportStatement] {
        var last = (line: 1, column: -1)
        let statements = ImportScanner.scan(source)
        for statement in statements {
            let place = (line: statement.line, column: statement.column)
            if place <= last || place.column >= source.count || place.line > source.count + 1 {
                Issue.record("\(statement) after \(last) in \(source)")
            }
            last = place
        }
        return statements
    }

    @Test(arguments: nastySources)
    func everyPrefixAndSuffix(_ source: String) {
        let bytes = Array(source.utf8)
        #expect(!ImportScanner.scan(bytes).isEmpty)
        for end in 0...bytes.count {
            checkOrder(Array(bytes[..<end]))
            checkOrder(Array(bytes[end...]))
        }
    }

    @Test func twentyThousandMutations() {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func random(_ bound: Int) -> Int {
            // xorshift64
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        let interesting = Array("'\"\\\n\r\t (){}[]:;#,.=*ftrbNl\0\u{0C}0é".utf8)
        let evaluator = ConditionEvaluator(version: [3, 8, 2], platform: "linux")
        for round in 0..<20_000 {
            var bytes = Array(Self.nastySources[round % Self.nastySources.count].utf8)
            for _ in 0...random(6) {
                let index = random(bytes.count)
                let byte = random(4) == 0 ? UInt8(random(256)) : interesting[random(interesting.count)]
                switch random(4) {
                case 0: bytes.remove(at: index)
                case 1: bytes.insert(byte, at: index)
                case 2:
                    bytes.insert(
                        contentsOf: bytes[index..<min(index + random(40), bytes.count)], at: random(bytes.count))
                default: bytes[index] = byte
                }
            }
            for statement in checkOrder(bytes) { _ = evaluator.evaluate(statement.conditions) }
        }
    }

    /// Each of these takes minutes if the scanner is quadratic, and overflows the stack if it is recursive.
    @Test(arguments: [
        "(", "[{", "f'{", "f'{x:{", "f'''{", "import a;", "__import__(", "__import__('a', [", "from a import (\n",
        "x = (\nfrom a\n", "if x:", "lambda:", "if lambda ", "\\\n", "'", "'''", "\t", "\r", "  (", "importlib.",
        "if sys.platform:\n", "try:\n", "except ImportError: import a\n", "elif sys.platform: import a\n", "else:\n",
        "if TYPE_CHECKING or ", "if (", "if not ", "with suppress(", "except (", "import a,", "import a.", "from .",
        "async ", "lazy ", "from importlib import import_module as a\n", "a ", "a(",
    ])
    func endlessRepetition(_ piece: String) {
        let count = 60_000 / piece.utf8.count
        checkOrder(Array(String(repeating: piece, count: count).utf8))
        checkOrder(Array(("if x:\n " + String(repeating: piece + "\n", count: count)).utf8))
    }
}
