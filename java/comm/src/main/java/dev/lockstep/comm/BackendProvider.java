package dev.lockstep.comm;

/**
 * Opens groups over a backend that is not Lockstep's own library, so that its dependencies are only
 * where it is. Found by {@link java.util.ServiceLoader}; {@code dev.lockstep.gloo} is one. Its
 * communicators extend {@link RequestingCommunicator}.
 */
public interface BackendProvider {
  /** Which backend it opens. */
  Backend backend();

  /**
   * Joins a group; returns when all ranks have.
   *
   * @param recorder for the communicator, which tells it of its failures
   * @throws BackendUnavailableException when a library is missing
   * @throws RendezvousException when the group does not form within the options' limit
   */
  Communicator open(TcpOptions options, FlightRecorder recorder);
}
