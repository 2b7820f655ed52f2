extension Duration {
  /// The length in seconds.
  var secondCount: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
