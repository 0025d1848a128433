import BuildModel
import Testing

@Suite struct CalendarTimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01 00:00:00 UTC"), (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_714_564_800, "2024-05-01 12:00:00 UTC"), (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"), (UInt32.max, "2106-02-07 06:28:15 UTC"),
        ] as [(UInt32, String)])
    func dates(_ seconds: UInt32, _ expected: String) {
        #expect(CalendarTime(seconds: seconds).text == expected)
    }

    @Test func forPrograms() {
        #expect(CalendarTime(seconds: 1_714_564_800).rfc3339 == "2024-05-01T12:00:00Z")
    }
}
