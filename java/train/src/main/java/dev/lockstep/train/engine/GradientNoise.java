package dev.lockstep.train.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;

/**
 * The gradient noise scale B = S ÷ |G|² (McCandlish et al. 2018, "An empirical model of large-batch
 * training", appendix A.1): G is the true gradient, S the trace of the covariance of one sample's
 * gradient. A batch much smaller than B takes many steps, a much larger one wastes samples.
 *
 * <p>The mean gradient of b samples has the expected squared norm |G|² + S ÷ b. So the norm of the
 * joint gradient and those of the ranks' own give unbiased estimates of both at every step; as
 * these scatter, and either may be negative, both are averaged exponentially before they are
 * divided. Not thread-safe.
 */
public final class GradientNoise {
  /** Half of the weight is in the last 69 measurements, as variances need some. */
  private static final double KEPT = 0.99;

  private double squaredGradient;
  private double variance;
  private long measured;

  /**
   * Adds a step's measurement.
   *
   * @param joint |gradient of the joint batch|²
   * @param samples of the joint batch
   * @param parts the mean over some parts of it of |gradient of the part|²
   * @param inverse the mean over the parts of 1 ÷ samples; more than 1 ÷ {@code samples}
   */
  public void add(double joint, double samples, double parts, double inverse) {
    double s = (parts - joint) / (inverse - 1 / samples);
    double g = joint - s / samples;
    variance = KEPT * variance + (1 - KEPT) * s;
    squaredGradient = KEPT * squaredGradient + (1 - KEPT) * g;
    measured++;
  }

  /** How many measurements there are. */
  public long measured() {
    return measured;
  }

  /**
   * The noise scale in samples: infinite while the true gradient cannot be told from noise, NaN
   * while the noise cannot be told from 0. The averages begin at 0, and so are both too small by
   * the same factor.
   */
  public double scale() {
    if (!(variance > 0)) {
      return Double.NaN;
    }
    return squaredGradient > 0 ? variance / squaredGradient : Double.POSITIVE_INFINITY;
  }

  /** What {@link #restore} takes. */
  public JsonNode saved() {
    return JsonNodeFactory.instance
        .objectNode()
        .put("squared_gradient", squaredGradient)
        .put("variance", variance)
        .put("measured", measured);
  }

  /** Goes on from what {@link #saved} gave. */
  public void restore(JsonNode saved) {
    squaredGradient = saved.path("squared_gradient").asDouble();
    variance = saved.path("variance").asDouble();
    measured = saved.path("measured").asLong();
  }
}
