package dev.lockstep.federated;

/**
 * A client's part in a round.
 *
 * @param client which
 * @param base the round whose model, before its update, it begins with
 * @param weight that its change has for each of its samples, or in all where {@code alike}
 * @param alike whether changes count alike instead of by samples
 */
record Assignment(int client, int base, double weight, boolean alike) {
  /** The weight of its change before all are divided by their sum. */
  double weight(int samples) {
    return alike ? weight : weight * samples;
  }
}
