/// What is known so far about the stream that is being read.
struct StreamFacts: Sendable {
  /// Which of the stream formats it has: 1 (Redis 5.0), 2 (7.0), 3 (7.2), 4 (8.6), 5 (8.8).
  let version: Int
  var lastGeneratedID = StreamID(milliseconds: 0, sequence: 0)
  var maxDeletedID: StreamID?
  var entriesAdded: UInt64?
  var groups: [GroupSummary] = []
  var remainingNodes: UInt64 = 0
  var remainingGroups: UInt64 = 0
  var remainingConsumers: UInt64 = 0
  var remainingPending: UInt64 = 0
  var remainingProducers: UInt64 = 0

  // The current group.
  var groupName: [UInt8] = []
  var keepsGroup = false
  var lastDeliveredID = StreamID(milliseconds: 0, sequence: 0)
  var entriesRead: UInt64?
  var pending = PendingEntries()
  var consumers: [ConsumerSummary] = []

  // The current consumer.
  var consumerName: [UInt8] = []
  var keepsConsumer = false
  var consumerPending: UInt64 = 0

  init(code: UInt8 = 15) {
    version =
      switch code {
      case 15: 1
      case 19: 2
      case 21: 3
      case 26: 4
      default: 5
      }
  }
}
