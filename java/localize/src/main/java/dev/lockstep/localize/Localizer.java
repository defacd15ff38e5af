package dev.lockstep.localize;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import dev.lockstep.localize.fit.Certainty;
import dev.lockstep.localize.fit.DeviceOffsets;
import dev.lockstep.localize.fit.GoodnessOfFit;
import dev.lockstep.localize.fit.PartFit;
import dev.lockstep.localize.network.MeasurementsConfig;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.Noise;
import dev.lockstep.natives.NativeCache;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Locates a sensor network on a group of ranks: matrix-parametrised proximal splitting (Barkley and
 * Bassett, arXiv 2503.13403), then Levenberg–Marquardt on all distances, covariances, and a search
 * for mirror images. The result has the same bits on any number of ranks.
 *
 * <p>For tracking, {@link #update} goes on from the last positions and keeps the splitting's dual
 * variables (those of the sparse form) while distances change and sensors join or leave:
 *
 * <pre>{@code
 * try (Communicator ranks = Communicator.fromEnvironment();
 *     Localizer localizer = Localizer.builder(ranks).build()) {
 *   show(localizer.locate(first));
 *   while (radar.measures()) {
 *     show(localizer.update(radar.network()));
 *   }
 * }
 * }</pre>
 *
 * All methods are collective: every rank calls them with the same arguments. One thread at a time;
 * close it before the group.
 */
public final class Localizer implements AutoCloseable {
  private final Communicator group;
  private final SplittingConfig settings;
  private final @Nullable Noise noise;
  private final double[] weights;
  private final Consumer<IterationPoint> progress;
  private @Nullable NativeLocalizer opened;
  private @Nullable Localization last;

  private Localizer(Builder builder) {
    group = builder.group;
    settings = builder.settings;
    noise = builder.noise;
    weights = builder.weights;
    progress = builder.progress;
  }

  /** Begins a localizer over a group, which stays the caller's to close. */
  public static Builder builder(Communicator group) {
    return new Builder(requireNonNull(group, "group"));
  }

  /** What a localizer may be told; all of it has defaults. */
  public static final class Builder {
    private final Communicator group;
    private SplittingConfig settings = SplittingConfig.defaults();
    private @Nullable Noise noise;
    private double[] weights = {};
    private Consumer<IterationPoint> progress = point -> {};

    private Builder(Communicator group) {
      this.group = group;
    }

    /** Step sizes, form, stopping rules, refinement; its files are not looked at. */
    public Builder settings(SplittingConfig settings) {
      this.settings = settings;
      return this;
    }

    /**
     * The standard deviation of a distance as a fraction of it, which scales covariances and {@code
     * huber}; otherwise what the network says, else 0.05.
     *
     * @throws IllegalArgumentException unless above 0
     */
    public Builder noiseFactor(double noiseFactor) {
      if (!(noiseFactor > 0 && Double.isFinite(noiseFactor))) {
        throw new IllegalArgumentException("The noise factor must be above 0: " + noiseFactor);
      }
      noise = new Noise(noiseFactor, 0);
      return this;
    }

    /** How far off distances are; otherwise what the network says, else 5 % of each. */
    public Builder noise(Noise noise) {
      this.noise = requireNonNull(noise, "noise");
      return this;
    }

    /** P for {@link SplittingConfig.Design#USER}, f64[sensors × sensors]. */
    public Builder weights(double[] weights) {
      this.weights = weights.clone();
      return this;
    }

    /** Is told now and then how the iteration goes, on the calling thread of every rank. */
    public Builder progress(Consumer<IterationPoint> progress) {
      this.progress = progress;
      return this;
    }

    /** The localizer. */
    public Localizer build() {
      NativeCache.useFolderOfEnvironment();
      return new Localizer(this);
    }
  }

  /**
   * Locates a network from a cold start.
   *
   * @throws NetworkException when the network cannot be located with these settings
   * @throws dev.lockstep.comm.CommunicationException when a rank died, fell silent or disagreed
   */
  public Localization locate(Network network) {
    return locate(network, Optional.empty());
  }

  /**
   * Locates a network from about known positions, or cold without.
   *
   * @param start f64[sensors × dimension]
   * @throws NetworkException when the network cannot be located with these settings
   */
  public Localization locate(Network network, Optional<double[]> start) {
    double[] from = start.orElse(new double[0]);
    int expected = network.sensors() * network.dimension();
    if (start.isPresent() && from.length != expected) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "The start has %d numbers instead of %d.", from.length, expected));
    }
    close();
    Phases phases = new Phases();
    NativeLocalizer natives = phases.time("setup", () -> refusing(() -> started(network, from)));
    opened = natives;
    return run(natives, network, phases, true, start.isEmpty());
  }

  /**
   * Goes on with the same network measured anew, or with another that shares sensors with it, by
   * name.
   *
   * @throws NetworkException when the network cannot be located with these settings
   * @throws IllegalStateException before {@link #locate}
   * @throws IllegalArgumentException when the network has another dimension
   */
  public Localization update(Network network) {
    if (opened == null || last == null) {
      throw new IllegalStateException("locate() comes before update().");
    }
    if (network.dimension() != last.network().dimension()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "The network was in %d-D and cannot become %s.",
              last.network().dimension(),
              network));
    }
    NativeLocalizer natives = opened;
    Phases phases = new Phases();
    Succession succession = Succession.of(last.network(), last.positions(), network);
    phases.time(
        "setup",
        () ->
            refusing(
                () -> {
                  natives.replace(network, succession.kept(), succession.positions());
                  return natives;
                }));
    // Where the last fix fits, so do places near it; the search of a cold start would take longer
    // than all the rest.
    boolean fitted = !last.fit().rejects();
    Localization next = run(natives, network, phases, false, false);
    return fitted && next.fit().rejects() ? run(natives, network, phases, true, false) : next;
  }

  private NativeLocalizer started(Network network, double[] from) {
    Noise known = noise != null ? noise : MeasurementsConfig.defaults().noiseOf(network);
    NativeLocalizer natives = new NativeLocalizer(group, network, settings, known);
    try {
      natives.start(weights, from);
      return natives;
    } catch (RuntimeException e) {
      natives.close();
      throw e;
    }
  }

  private Localization run(
      NativeLocalizer natives, Network network, Phases phases, boolean searches, boolean cold) {
    Stops stops = new Stops(settings);
    List<IterationPoint> history = new ArrayList<>();
    List<IterationPoint> trace = new ArrayList<>();
    NativeLocalizer.Step end =
        phases.time("splitting", () -> iterate(natives, network, stops, history, trace));
    Relaxation relaxation = new Relaxation(natives.positions(), natives.excess(), end.residual());
    Estimate estimate =
        new Estimator(group, settings, natives, phases)
            .estimate(network, relaxation.positions(), searches);
    double[] positions =
        settings.refine() ? estimate.refined().positions() : relaxation.positions();
    GoodnessOfFit fit =
        GoodnessOfFit.of(estimate.network(), network, positions, natives.noise())
            .plus(estimate.offsets().map(DeviceOffsets::surprise).orElse(0.0));
    List<PartFit> parts = PartFit.of(estimate.network(), positions, natives.noise());
    last =
        new Localization(
            network,
            positions,
            relaxation,
            estimate.covariances(),
            estimate.ambiguous(),
            estimate.offsets(),
            end.iteration(),
            Localization.Stop.values()[end.stop()],
            natives.meanObjective(),
            estimate.refined().iterations(),
            estimate.refined().cost(),
            fit,
            parts,
            Certainty.of(network, fit, parts, estimate.ambiguous(), estimate.undetermined())
                .leftOut(estimate.leftOut())
                .tight(
                    cold
                        && estimate.ambiguous().isEmpty()
                        && estimate.undetermined().isEmpty()
                        && relaxation.isTightAt(network, positions)),
            List.copyOf(history),
            List.copyOf(trace),
            phases.seconds());
    return last;
  }

  private NativeLocalizer.Step iterate(
      NativeLocalizer natives,
      Network network,
      Stops stops,
      List<IterationPoint> history,
      List<IterationPoint> trace) {
    // Native code counts on through updates; results count from each.
    long before = natives.advance(0).iteration();
    long done = 0;
    NativeLocalizer.Step step;
    do {
      step = natives.advance(stops.after(done) - done);
      done = step.iteration() - before;
      boolean recorded = stops.isRecorded(done);
      IterationPoint point =
          new IterationPoint(
              done,
              step.objective(),
              recorded ? natives.meanObjective() : Double.NaN,
              step.residual(),
              network.truth().isPresent()
                  ? network.meanSquaredError(natives.positions())
                  : Double.NaN);
      history.add(point);
      if (recorded) {
        trace.add(point);
      }
      progress.accept(point);
    } while (done < settings.maxIterations() && step.stop() == 0);
    return new NativeLocalizer.Step(done, step.objective(), step.residual(), step.stop());
  }

  /** What native code refuses is the network's fault, or the settings'. */
  private static <T> T refusing(Supplier<T> step) {
    try {
      return step.get();
    } catch (IllegalArgumentException e) {
      throw new NetworkException(String.valueOf(e.getMessage()), e);
    }
  }

  /** Lets native memory go; idempotent. Not collective. */
  @Override
  public void close() {
    if (opened != null) {
      opened.close();
      opened = null;
      last = null;
    }
  }
}
