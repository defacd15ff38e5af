package dev.lockstep.federated.aggregation;

import static java.util.Objects.requireNonNull;

import dev.lockstep.federated.client.ParameterVector;
import dev.lockstep.federated.config.AggregationConfig.Rule;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.PrivacyConfig;
import dev.lockstep.federated.config.SecureAggregationConfig;
import dev.lockstep.federated.privacy.DifferentialPrivacy;
import dev.lockstep.federated.privacy.FixedPoint;
import dev.lockstep.federated.privacy.SecureAggregation;
import dev.lockstep.federated.privacy.SecureAggregationException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How changes become the integers that are added up in secret, and their sum a change again; equal
 * at server and clients. Immutable.
 */
public final class SecureEncoding {
  private final FederationConfig config;
  private final SecureAggregationConfig secure;
  private final int length;
  private final @Nullable DifferentialPrivacy mechanism;

  /**
   * What a client must know of a round besides the model.
   *
   * @param weight of its change
   * @param mostWeight the largest of all clients
   * @param clipNorm the length to which private changes are shortened
   */
  public record Terms(long weight, long mostWeight, double clipNorm) {}

  private SecureEncoding(FederationConfig config, int clients, int length) {
    this.config = config;
    this.length = length;
    PrivacyConfig privacy = requireNonNull(config.privacy());
    secure = requireNonNull(privacy.secureAggregation());
    mechanism = privacy.addsNoise() ? PrivateSum.mechanism(config, clients) : null;
  }

  /**
   * Of a federation with secure aggregation; empty without.
   *
   * @param length of a change
   */
  public static Optional<SecureEncoding> of(FederationConfig config, int clients, int length) {
    return config.privacy() == null || config.privacy().secureAggregation() == null
        ? Optional.empty()
        : Optional.of(new SecureEncoding(config, clients, length));
  }

  private FixedPoint grid(Terms terms) {
    return new FixedPoint(secure.fractionBits(), secure.range(), terms.mostWeight());
  }

  /**
   * The integers of a change.
   *
   * @throws SecureAggregationException for a change that is out of the range
   */
  long[] encode(double[] change, Terms terms) {
    if (mechanism != null) {
      return mechanism.contribution(ParameterVector.toFloats(change), terms.clipNorm());
    }
    double share = 1;
    if (config.aggregation().rule() == Rule.NORM_BOUND) {
      double radius = config.aggregation().radius();
      share = Math.min(1, radius / Math.max(ParameterVector.norm(change), Double.MIN_NORMAL));
    }
    float[] shortened = new float[change.length];
    for (int i = 0; i < change.length; i++) {
      shortened[i] = (float) (share * change[i]);
    }
    return grid(terms).encode(shortened, terms.weight());
  }

  /** The weighted mean that a sum without noise stands for. */
  public double[] mean(long[] sum, Terms terms) {
    float[] mean = grid(terms).mean(sum);
    double[] result = new double[mean.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = mean[i];
    }
    return result;
  }

  /**
   * Refuses ranges and weights whose sum cannot be had.
   *
   * @throws IllegalArgumentException with what is needed
   */
  public void checkRange(int clients, Terms terms) {
    settings(Math.max(clients, secure.minimum()), terms);
  }

  /**
   * What so many clients agree on.
   *
   * @throws IllegalArgumentException for clients too few, or a sum that 64 bits do not hold
   */
  public SecureAggregation settings(int clients, Terms terms) {
    if (clients < secure.minimum()) {
      throw new IllegalArgumentException(
          clients + " clients are fewer than minimum: " + secure.minimum());
    }
    int integers = mechanism == null ? length + 1 : mechanism.contributionLength(length);
    long most = mechanism == null ? grid(terms).maxMagnitude() : mechanism.maxMagnitude();
    return SecureAggregation.of(clients, integers, most).withThreshold(secure.thresholdOf(clients));
  }
}
