/// Why a call to hearthd failed, in the classes that a script can tell apart by exit code.
package enum ClientError: Error, Hashable, Sendable {
    /// No socket, or nobody listens on it.
    case noDaemon(socket: String)
    /// It did not say who it is in time, or a long operation is not finished.
    case notAnswering(waited: Int)
    /// The socket can't be reached by this user, or somebody else listens on it.
    case notPermitted(String)
    /// It speaks another version of the interface.
    case otherVersion(String)
    /// It went away in the middle of a call.
    case connectionLost
    /// It sent what is no reply.
    case malformed(String)
    /// It refused, or could not do it.
    case remote(ControlError)
}
