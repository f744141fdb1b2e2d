/// Where the lines of followed files go.
protocol LogSink {
    /// Told whenever the files that may be read become known anew.
    mutating func prepare(for sources: [LogSource])
    mutating func print(_ lines: [ArraySlice<UInt8>], of source: LogSource) throws
}
