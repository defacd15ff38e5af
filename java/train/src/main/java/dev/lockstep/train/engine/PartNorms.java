package dev.lockstep.train.engine;

/**
 * Squared norms of the gradients of parts of a batch, summed over the parts that have samples.
 *
 * @param squares Σ |mean gradient of the part's samples|²
 * @param parts how many
 * @param inverses Σ 1 ÷ samples of the part
 */
public record PartNorms(double squares, double parts, double inverses) {
  /** Of no part. */
  public static final PartNorms NONE = new PartNorms(0, 0, 0);

  /**
   * Of one part, from gradients that its share of the batch has been multiplied with.
   *
   * @param weighted |gradients|²
   * @param weight what the mean gradient was multiplied by
   */
  public static PartNorms of(double weighted, double weight, int samples) {
    return samples == 0 ? NONE : new PartNorms(weighted / (weight * weight), 1, 1.0 / samples);
  }

  /** The same of gradients that were not multiplied by a loss scale. */
  PartNorms unscaled(double lossScale) {
    return new PartNorms(squares / (lossScale * lossScale), parts, inverses);
  }
}
