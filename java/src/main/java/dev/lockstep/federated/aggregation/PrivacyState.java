package dev.lockstep.federated.aggregation;

import dev.lockstep.federated.config.PrivacyConfig;
import dev.lockstep.federated.privacy.NoiseKey;
import org.jspecify.annotations.Nullable;

/**
 * What private rounds hand on: the norm to which changes are shortened, and the key from which
 * noise and clients are drawn. It is saved with the model, so that no round is ever released with
 * two keys. Not thread-safe.
 */
public final class PrivacyState {
  private final double[] clipNorm;
  private NoiseKey key;

  /** Before the first round. */
  public PrivacyState(@Nullable PrivacyConfig privacy, NoiseKey key) {
    this.key = key;
    clipNorm =
        privacy == null || !privacy.addsNoise() ? new double[0] : new double[] {privacy.clipNorm()};
  }

  /** Live memory of the norm: one element, or none without noise. */
  public double[] clipNorm() {
    return clipNorm;
  }

  /** The key. */
  public NoiseKey key() {
    return key;
  }

  /** Goes on with the key of a checkpoint. */
  public void restore(NoiseKey saved) {
    key = saved;
  }
}
