package dev.lockstep.federated.population;

/**
 * A client's part in a round.
 *
 * @param client which
 * @param base the round whose model, before its update, it begins with
 * @param weight that its change has for each of its samples, or in all where {@code alike}
 * @param alike whether changes count alike instead of by samples
 */
public record Assignment(int client, int base, double weight, boolean alike) {
  /** FedBuff's weight of a change that began so many models ago (Nguyen et al. 2022, section 3). */
  public static double stalenessWeight(int models) {
    return 1 / Math.sqrt(1.0 + models);
  }

  /** The weight of its change before all are divided by their sum. */
  public double weight(int samples) {
    return alike ? weight : weight * samples;
  }
}
