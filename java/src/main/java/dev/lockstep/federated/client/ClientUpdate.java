package dev.lockstep.federated.client;

/**
 * What a client's round gave.
 *
 * @param samples that it has
 * @param steps that it took
 * @param loss mean over the samples of its steps
 * @param change of the model, all elements
 * @param finite whether loss and change are, and no element is beyond {@link #LARGEST}
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, not shared
public record ClientUpdate(int samples, int steps, double loss, double[] change, boolean finite) {
  /** An element beyond this is no change that a model survives. */
  public static final double LARGEST = 1 << 13;

  /** The same of a client that keeps its change to itself. */
  public ClientUpdate withoutChange(boolean usable) {
    return new ClientUpdate(samples, steps, loss, new double[0], usable);
  }

  /**
   * From the model that a client began with, as it was rounded for it, and the one that it ended
   * with.
   *
   * @param usable false where training stopped at numbers that are not finite
   * @param end becomes the change
   */
  public static ClientUpdate of(
      int samples, int steps, double loss, boolean usable, double[] end, double[] begun) {
    boolean finite = usable && Double.isFinite(loss);
    for (int i = 0; i < end.length; i++) {
      end[i] -= begun[i];
      finite &= Math.abs(end[i]) <= LARGEST;
    }
    return new ClientUpdate(samples, steps, loss, end, finite);
  }
}
