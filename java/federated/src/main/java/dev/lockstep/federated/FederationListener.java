package dev.lockstep.federated;

/** Hears what happens in a federation, on the thread that runs it. */
public interface FederationListener {
  /** A round is over; on every rank. */
  default void round(RoundReport report) {}

  /** Whether to stop after this round; one rank's wish is enough. */
  default boolean stopRequested() {
    return false;
  }

  /** Hears nothing. */
  static FederationListener none() {
    return new FederationListener() {};
  }
}
