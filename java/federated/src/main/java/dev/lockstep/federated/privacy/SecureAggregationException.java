package dev.lockstep.federated.privacy;

import dev.lockstep.LockstepException;
import java.util.OptionalInt;

/** Something in a round of secure aggregation that is refused, or that ends it. */
public final class SecureAggregationException extends LockstepException {
  private static final long serialVersionUID = 1L;

  /** What is wrong. */
  public enum Reason {
    /** Fewer clients than the threshold are left; the round has no sum. */
    BELOW_THRESHOLD,
    /** A message for a stage that is over. */
    LATE,
    /** A message for a stage that has not begun, or a call out of order. */
    EARLY,
    /** A second message of a client in a stage. */
    DUPLICATE,
    /** Bytes that are no message of this round, stage, sender and configuration. */
    MALFORMED,
    /** An encrypted share that is not what its sender sent, or does not fit its commitment. */
    TAMPERED,
    /** A share, or the secret made of all shares, that does not fit its commitment. */
    WRONG_SHARE,
    /** What would reveal a single client's update, or contradicts what the server said before. */
    REFUSED,
    /** A value that the configured range cannot hold. */
    OUT_OF_RANGE
  }

  private final Reason reason;
  private final int client;

  SecureAggregationException(Reason reason, String message) {
    this(reason, -1, message);
  }

  SecureAggregationException(Reason reason, int client, String message) {
    super(message);
    this.reason = reason;
    this.client = client;
  }

  /** What is wrong. */
  public Reason reason() {
    return reason;
  }

  /** The client at fault; empty where it is the server, or nobody. */
  public OptionalInt client() {
    return client < 0 ? OptionalInt.empty() : OptionalInt.of(client);
  }
}
