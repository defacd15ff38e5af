package dev.lockstep.train.strategy;

import com.fasterxml.jackson.databind.node.IntNode;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.train.compression.CompressionConfig;
import dev.lockstep.train.compression.CompressionConfig.Type;
import dev.lockstep.train.compression.Residual;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.OwnedParts;
import dev.lockstep.train.memory.ParameterRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tries ways of summing gradients in turns, a few steps each, and stays with the one whose steps
 * are the fastest. They share one residual, so nothing of any step is lost. What has been chosen is
 * in the checkpoint.
 */
final class AutomaticReduction implements BucketReduction, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AutomaticReduction.class);

  /** The first must be the gradients as they are. */
  private static final List<CompressionConfig> CANDIDATES =
      List.of(
          CompressionConfig.none(),
          CompressionConfig.of(Type.BF16),
          CompressionConfig.of(Type.INT8),
          CompressionConfig.of(Type.POWER_SGD));

  /** While classes load and code is compiled. */
  private static final int WARM_UP_STEPS = 4;

  /** Of these the first is not measured: it may still wait for the turn before. */
  private static final int STEPS_A_TURN = 4;

  private static final int ROUNDS = 2;

  /** Steps after which the choice is made. */
  static final int TRIAL_STEPS = WARM_UP_STEPS + ROUNDS * CANDIDATES.size() * STEPS_A_TURN;

  /** What compression must save at least: it costs digits. */
  private static final double WORTH = 0.95;

  private final Communicator group;
  private final LongSupplier clock;
  private final OwnedParts owned = new OwnedParts();
  private final Residual residual;
  private final List<CompressedReduction> reductions = new ArrayList<>();
  private final List<List<Long>> nanos = new ArrayList<>();

  /** Steps of this process. */
  private int steps;

  private int current;
  private int chosen = -1;
  private long began;

  /** Takes the memory. */
  AutomaticReduction(
      Communicator group, FlatBuffers gradients, List<Bucket> buckets, LongSupplier clock) {
    this.group = group;
    this.clock = clock;
    try {
      residual = owned.add(new Residual(gradients.layout()));
      for (CompressionConfig candidate : CANDIDATES) {
        reductions.add(
            owned.add(new CompressedReduction(candidate, group, gradients, buckets, residual)));
        nanos.add(new ArrayList<>());
      }
    } catch (RuntimeException e) {
      owned.close();
      throw e;
    }
  }

  /** Which is tried in a step of this process. */
  static int turn(int step) {
    return step < WARM_UP_STEPS ? 0 : (step - WARM_UP_STEPS) / STEPS_A_TURN % CANDIDATES.size();
  }

  private static boolean isMeasured(int step) {
    return step >= WARM_UP_STEPS && (step - WARM_UP_STEPS) % STEPS_A_TURN != 0;
  }

  @Override
  public void begin(Step step) {
    long now = clock.getAsLong();
    if (chosen < 0 && steps > 0 && isMeasured(steps - 1)) {
      nanos.get(turn(steps - 1)).add(now - began);
    }
    if (chosen < 0 && group.size() > 1 && steps == TRIAL_STEPS) {
      choose();
    }
    // One rank alone has nothing to send, and learns nothing of what a link to others is worth.
    current = group.size() == 1 ? 0 : chosen < 0 ? turn(steps) : chosen;
    began = now;
    steps++;
    residual.begin(step.learningRate());
    reductions.get(current).begin(step);
  }

  /** All ranks by the slowest rank's medians. */
  private void choose() {
    double[] own = nanos.stream().mapToDouble(AutomaticReduction::median).toArray();
    double[] all = group.allReduce(own, ReduceOp.MAX);
    chosen = fastest(all);
    if (group.rank() == 0) {
      StringJoiner times = new StringJoiner(", ");
      for (int i = 0; i < all.length; i++) {
        times.add(String.format(Locale.ROOT, "%s %.1f", name(i), all[i] * 1e-6));
      }
      log.info("Compression auto: {}. Milliseconds a step: {}.", name(chosen), times);
    }
  }

  private static String name(int candidate) {
    return CANDIDATES.get(candidate).type().name().toLowerCase(Locale.ROOT);
  }

  private static double median(List<Long> values) {
    long[] sorted = values.stream().mapToLong(value -> value).sorted().toArray();
    return sorted[sorted.length / 2];
  }

  /** The chosen candidate; −1 before the choice. */
  int chosen() {
    return chosen;
  }

  /** The fastest, or the first where that saves too little. */
  static int fastest(double[] times) {
    double least = Arrays.stream(times).min().orElseThrow();
    if (least > WORTH * times[0]) {
      return 0;
    }
    int at = 0;
    while (times[at] != least) {
      at++;
    }
    return at;
  }

  private CompressedReduction now() {
    return reductions.get(current);
  }

  @Override
  public Work start(Bucket bucket) {
    return now().start(bucket);
  }

  @Override
  public @Nullable Work proceed(Bucket bucket) {
    return now().proceed(bucket);
  }

  @Override
  public void finish(Bucket bucket) {
    now().finish(bucket);
  }

  @Override
  public void updates(List<ParameterRange> updated) {
    now().updates(updated);
  }

  @Override
  public boolean isExact() {
    return false;
  }

  @Override
  public boolean isWhole() {
    return true;
  }

  @Override
  public void declare(TrainingState state) {
    residual.declare(state);
    reductions.forEach(reduction -> reduction.declare(state));
    state.value(
        "compression_chosen", () -> IntNode.valueOf(chosen), saved -> chosen = saved.intValue());
  }

  @Override
  public void close() {
    owned.close();
  }
}
