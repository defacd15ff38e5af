package dev.lockstep.train;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.train.OptimizerConfig.Type;
import dev.lockstep.train.engine.GradientNoise;
import dev.lockstep.train.engine.PartNorms;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Stateful;
import dev.lockstep.train.engine.TrainingState;

/**
 * How many samples a step takes, and what that does to the learning rate. All ranks decide alike,
 * as they decide by numbers that are equal on all of them. Not thread-safe.
 */
final class BatchPlan implements Stateful {
  /** Steps between decisions: the averages hardly change in fewer. */
  private static final int DECIDES_EVERY = 20;

  /** Measurements before the first decision, as few scatter much. */
  private static final int MEASURES_FIRST = 40;

  /** How many times fewer steps a larger batch must promise. */
  private static final double WORTH = 1.05;

  /** How fast it grows at most, as the noise scale does while the loss falls. */
  private static final int GROWTH = 2;

  private final int samples;
  private final boolean adaptive;
  private final int base;
  private final int largest;
  private final boolean linear;
  private final GradientNoise noise = new GradientNoise();
  private int size;
  private double rateFactor = 1;

  /**
   * Begins with the smallest batch.
   *
   * @param samples of the training set
   */
  BatchPlan(TrainingConfig config, Type optimizer, int samples) {
    this.samples = samples;
    BatchConfig batch = config.batch();
    adaptive = batch.adaptive();
    base = Math.min(config.batchSize(), samples);
    linear = optimizer == Type.SGD;
    int first = batch.min() == null ? base : batch.min();
    long most = batch.max() == null ? 32L * base : batch.max();
    largest = adaptive ? (int) Math.min(Math.max(most, first), samples) : base;
    size = adaptive ? Math.min(first, samples) : base;
    rateFactor = factor(Double.NaN);
  }

  /** Whether steps are to measure norms of parts of their batch. */
  boolean measures() {
    return adaptive;
  }

  /** Samples of the next batch, on all ranks together. */
  int size() {
    return size;
  }

  /** The largest that there will be. */
  int largest() {
    return largest;
  }

  /** What the learning rate is multiplied by. */
  double rateFactor() {
    return rateFactor;
  }

  /** The noise scale in samples; NaN where it is not known. */
  double noiseScale() {
    return noise.scale();
  }

  /**
   * Takes up what a step has measured.
   *
   * @param steps taken since the run began, that one included
   * @param of samples of its batch
   * @return whether {@link #size} is another now
   */
  boolean stepDone(long steps, int of, Reduced reduced) {
    PartNorms parts = reduced.parts();
    if (!adaptive) {
      return false;
    }
    if (parts != null && parts.parts() > 0) {
      double inverse = parts.inverses() / parts.parts();
      if (inverse > 1.0 / of) {
        noise.add(reduced.squaredNorm(), of, parts.squares() / parts.parts(), inverse);
      }
    }
    if (steps % DECIDES_EVERY != 0 || noise.measured() < MEASURES_FIRST) {
      return false;
    }
    int before = size;
    double scale = noise.scale();
    if (Double.isNaN(scale)) {
      return false;
    }
    size = next(scale, size, largest);
    rateFactor = factor(scale);
    return size != before;
  }

  /**
   * The batch after one of so many samples. With a noise scale B a batch of b samples needs 1 + B ÷
   * b times as many steps as one without noise (McCandlish et al. 2018, equation 2.11).
   */
  static int next(double noise, int size, int largest) {
    if (!(noise > size)) {
      return size;
    }
    int wanted = (int) Math.min(Math.min(noise, (double) GROWTH * size), largest);
    // Divided by the noise scale, which may be infinite.
    double fewer = (1 / noise + 1.0 / size) / (1 / noise + 1.0 / wanted);
    return fewer >= WORTH ? wanted : size;
  }

  /**
   * AdaScale's gain (Johnson et al. 2020, equation 5) for plain gradients, else the square root.
   */
  private double factor(double noiseScale) {
    double times = (double) size / base;
    if (!adaptive || times == 1) {
      return 1;
    }
    if (!linear) {
      return Math.sqrt(times);
    }
    // Before anything is known, as if gradients were all noise up to the geometric mean.
    return Double.isNaN(noiseScale) ? Math.sqrt(times) : gain(times, noiseScale / base);
  }

  /**
   * How many steps of the base batch a step of a larger one is worth, from 1 to {@code times}.
   *
   * @param noise S ÷ |G|² in base batches; may be infinite
   */
  static double gain(double times, double noise) {
    return Double.isInfinite(noise) ? times : (noise + 1) / (noise / times + 1);
  }

  /**
   * Where the schedule stands: how many steps of the base batch would have been as far.
   *
   * @param skipped of {@link #scheduledSamples}, those of steps that were left out
   */
  long scheduleStep(DistributedSampler.Position position, long skipped) {
    return (scheduledSamples(position) - skipped) / base;
  }

  /** Samples before a position, where the last base batch of an epoch counts as a full one. */
  long scheduledSamples(DistributedSampler.Position position) {
    long epoch = ((samples - 1) / base + 1L) * base;
    return position.epoch() * epoch + (position.samples() < samples ? position.samples() : epoch);
  }

  @Override
  public void declare(TrainingState state) {
    if (adaptive) {
      state.value("batch_plan", this::saved, this::restore);
    }
  }

  private JsonNode saved() {
    return ((ObjectNode) noise.saved()).put("size", size).put("rate_factor", rateFactor);
  }

  private void restore(JsonNode saved) {
    noise.restore(requireNonNull(saved));
    int then = saved.path("size").asInt();
    size = Math.min(then, largest);
    rateFactor = size == then ? saved.path("rate_factor").asDouble() : factor(noise.scale());
  }
}
