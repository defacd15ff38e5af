package dev.lockstep.comm;

/** What backends without shared memory say of fused steps. */
final class FusedSteps {
  private FusedSteps() {}

  static BackendUnavailableException unavailable(Communicator group) {
    return new BackendUnavailableException(
        "The backend "
            + group.backend()
            + " shares no memory, which a fused step needs; use auto or shared_memory.",
        CommunicationException.NO_RANK,
        null);
  }
}
