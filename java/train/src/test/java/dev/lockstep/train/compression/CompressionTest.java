package dev.lockstep.train.compression;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.Work;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.compression.CompressionConfig.Type;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.memory.ParameterRange;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Compressed sums over ranks: what they give, and what error feedback keeps. */
@Timeout(120)
class CompressionTest {
  private static final int STEPS = 12;

  /** Where the filter begins. */
  private static final int FILTER = 624;

  private static final FlatLayout LAYOUT = layout();
  private static final List<ParameterRange> RANGES =
      List.of(
          new ParameterRange(0, 608, LAYOUT.groups().get(0).count() - 608),
          new ParameterRange(0, 0, 608));

  /** A matrix of 20 × 30, a vector of 5, a filter of 16 × 3 × 5 × 5; 600 is no multiple of 16. */
  private static FlatLayout layout() {
    return new FlatLayout(
        List.of(
            new Slot("matrix", new long[] {20, 30}, 0, 0, 600),
            new Slot("vector", new long[] {5}, 0, 608, 5),
            new Slot("filter", new long[] {16, 3, 5, 5}, 0, 624, 1200)),
        List.of(new Group(ScalarType.Float, Float.BYTES, 1824)));
  }

  static Stream<CompressionConfig> all() {
    return Stream.of(
        CompressionConfig.of(Type.BF16),
        CompressionConfig.of(Type.FP16),
        CompressionConfig.of(Type.INT8),
        CompressionConfig.of(Type.INT8).withStochastic(true),
        CompressionConfig.of(Type.ONE_BIT),
        CompressionConfig.of(Type.TOP_K).withDensity(0.02, 5),
        CompressionConfig.of(Type.POWER_SGD).withRank(2, 2));
  }

  /**
   * What a rank ends with: the sum of all sums, each times its rate, and what is in its residual.
   */
  private record Outcome(double[] sums, double[] residual, float[] last) {}

  private static Outcome run(
      Communicator group, CompressionConfig config, IntToDoubleFunction rates) {
    return run(group, config, rates, step -> true);
  }

  /**
   * @param isUsed whether backward reaches the filter in a step; elsewhere it is not updated
   */
  private static Outcome run(
      Communicator group,
      CompressionConfig config,
      IntToDoubleFunction rates,
      IntPredicate isUsed) {
    try (FlatBuffers gradients = new FlatBuffers(LAYOUT, group::allocate);
        Compression compression = new Compression(config, group, gradients, RANGES)) {
      List<RangeSum> sums = RANGES.stream().map(compression::sum).toList();
      TrainingState state = new TrainingState();
      compression.declare(state);
      FloatBuffer values = floats(gradients.address(0));
      double[] total = new double[values.capacity()];
      float[] last = new float[values.capacity()];
      for (int step = 0; step < STEPS; step++) {
        fill(values, group.rank(), step);
        int updated = isUsed.test(step) ? total.length : FILTER;
        for (int i = updated; i < total.length; i++) {
          values.put(i, 0);
        }
        compression.begin(rates.applyAsDouble(step));
        exchange(sums, step, compression.carry());
        compression.takeBack(List.of(new ParameterRange(0, 0, updated)));
        values.get(0, last);
        for (int i = 0; i < updated; i++) {
          total[i] += rates.applyAsDouble(step) * last[i];
        }
      }
      return new Outcome(total, residual(state), last);
    }
  }

  private static void exchange(List<RangeSum> sums, int step, double carry) {
    List<Work> first = sums.stream().map(sum -> sum.start(step, carry)).toList();
    List<Work> second = new ArrayList<>();
    for (int i = 0; i < sums.size(); i++) {
      first.get(i).await();
      Work next = sums.get(i).proceed();
      if (next != null) {
        second.add(next);
      }
    }
    second.forEach(Work::await);
    sums.forEach(RangeSum::finish);
  }

  private static FloatBuffer floats(long address) {
    long bytes = LAYOUT.groups().get(0).bytes();
    return NativeView.bytes(address, bytes).asFloatBuffer();
  }

  private static double[] residual(TrainingState state) {
    double[] residual = new double[(int) LAYOUT.groups().get(0).count()];
    for (TrainingState.Entry entry : state.entries()) {
      for (Slot slot : LAYOUT.slots()) {
        if (entry.name().equals("compression.residual." + slot.name())) {
          FloatBuffer values = NativeView.bytes(entry.address(), entry.bytes()).asFloatBuffer();
          for (int i = 0; i < slot.count(); i++) {
            residual[(int) slot.offset() + i] = values.get(i);
          }
        }
      }
    }
    return residual;
  }

  private static void fill(FloatBuffer values, int rank, int step) {
    double[] gradient = gradient(rank, step);
    for (int i = 0; i < gradient.length; i++) {
      values.put(i, (float) gradient[i]);
    }
  }

  /** Zero between the tensors. */
  private static double[] gradient(int rank, int step) {
    double[] gradient = new double[(int) LAYOUT.groups().get(0).count()];
    Random random = new Random(1000L * step + rank);
    for (Slot slot : LAYOUT.slots()) {
      for (long i = slot.offset(); i < slot.offset() + slot.count(); i++) {
        gradient[(int) i] = (float) random.nextGaussian();
      }
    }
    return gradient;
  }

  private static double[] exact(int ranks, IntToDoubleFunction rates) {
    return exact(ranks, rates, step -> true);
  }

  private static double[] exact(int ranks, IntToDoubleFunction rates, IntPredicate isUsed) {
    double[] sum = new double[(int) LAYOUT.groups().get(0).count()];
    for (int step = 0; step < STEPS; step++) {
      for (int rank = 0; rank < ranks; rank++) {
        double[] gradient = gradient(rank, step);
        for (int i = 0; i < (isUsed.test(step) ? sum.length : FILTER); i++) {
          sum[i] += rates.applyAsDouble(step) * gradient[i];
        }
      }
    }
    return sum;
  }

  @ParameterizedTest
  @MethodSource("all")
  void ranksAgreeToTheBitAndPaddingStaysZero(CompressionConfig config) throws Exception {
    for (int ranks : new int[] {1, 2, 3, 5}) {
      List<Outcome> outcomes = RankThreads.run(ranks, group -> run(group, config, step -> 1));
      for (Outcome outcome : outcomes) {
        assertArrayEquals(outcomes.get(0).last(), outcome.last());
        for (int i : new int[] {600, 607, 613, 623}) {
          assertEquals(0, outcome.last()[i], "element " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void whatWasNotSentIsInTheResiduals(CompressionConfig config) throws Exception {
    for (int ranks : new int[] {1, 3}) {
      List<Outcome> outcomes = RankThreads.run(ranks, group -> run(group, config, step -> 1));
      assertNothingIsLost(outcomes, exact(ranks, step -> 1), 1);
    }
  }

  /** A branch of a model that is used in every third step alone. */
  @ParameterizedTest
  @MethodSource("all")
  void whatIsSummedAndNotUpdatedIsNotLost(CompressionConfig config) throws Exception {
    IntPredicate isUsed = step -> step % 3 == 0;
    List<Outcome> outcomes = RankThreads.run(2, group -> run(group, config, step -> 1, isUsed));
    assertNothingIsLost(outcomes, exact(2, step -> 1, isUsed), 1);
  }

  @ParameterizedTest
  @MethodSource("all")
  void residualsKeepTheirWorthWhenTheRateChanges(CompressionConfig config) throws Exception {
    IntToDoubleFunction rates = step -> 0.5 / (1 + step / 3);
    List<Outcome> outcomes = RankThreads.run(2, group -> run(group, config, rates));
    assertNothingIsLost(outcomes, exact(2, rates), rates.applyAsDouble(STEPS - 1));
  }

  private static void assertNothingIsLost(List<Outcome> outcomes, double[] exact, double rate) {
    for (int i = 0; i < exact.length; i++) {
      double accounted = outcomes.get(0).sums()[i];
      for (Outcome outcome : outcomes) {
        accounted += rate * outcome.residual()[i];
      }
      assertEquals(exact[i], accounted, 2e-4, "element " + i);
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void withoutErrorFeedbackWhatWasNotSentIsLost(CompressionConfig config) throws Exception {
    List<Outcome> outcomes =
        RankThreads.run(2, group -> run(group, config.withErrorFeedback(false), step -> 1));
    double[] exact = exact(2, step -> 1);
    double lost = 0;
    for (int i = 0; i < exact.length; i++) {
      lost = Math.max(lost, Math.abs(exact[i] - outcomes.get(0).sums()[i]));
    }
    assertTrue(lost > 1e-3, config + " loses only " + lost);
  }

  /** Momentum correction with all elements sent: each is masked, so there is no momentum left. */
  @Test
  void momentumOfWhatWasSentIsCleared() throws Exception {
    CompressionConfig plain = CompressionConfig.of(Type.TOP_K).withDensity(1, 0);
    List<Outcome> with =
        RankThreads.run(2, group -> run(group, plain.withMomentum(0.9), step -> 1));
    List<Outcome> without = RankThreads.run(2, group -> run(group, plain, step -> 1));
    assertArrayEquals(without.get(0).sums(), with.get(0).sums());
  }

  /** Two steps of u ← m·u + g, v ← v + u, sent together in the second: (1 + m)·g₀ + g₁ = v. */
  @Test
  void momentumOfWhatWasNotSentGoesOn() throws Exception {
    CompressionConfig config = CompressionConfig.of(Type.TOP_K).withDensity(0.01, 0);
    List<Outcome> plain = RankThreads.run(1, group -> run(group, config, step -> 1));
    List<Outcome> corrected =
        RankThreads.run(1, group -> run(group, config.withMomentum(0.9), step -> 1));
    double plainNorm = 0;
    double correctedNorm = 0;
    for (int i = 0; i < plain.get(0).residual().length; i++) {
      plainNorm += Math.pow(plain.get(0).residual()[i], 2);
      correctedNorm += Math.pow(corrected.get(0).residual()[i], 2);
    }
    assertTrue(correctedNorm > 4 * plainNorm, correctedNorm + " against " + plainNorm);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void whatIsNotFiniteOnOneRankShowsOnAll(float bad) throws Exception {
    for (CompressionConfig config : all().toList()) {
      List<Boolean> finite = RankThreads.run(3, group -> finiteWith(group, config, bad));
      assertFalse(finite.contains(true), config.type() + " hides " + bad);
    }
  }

  private static boolean finiteWith(Communicator group, CompressionConfig config, float bad) {
    try (FlatBuffers gradients = new FlatBuffers(LAYOUT, group::allocate);
        Compression compression = new Compression(config, group, gradients, RANGES)) {
      List<RangeSum> sums = RANGES.stream().map(compression::sum).toList();
      FloatBuffer values = floats(gradients.address(0));
      fill(values, group.rank(), 0);
      if (group.rank() == 1) {
        values.put(70, bad);
      }
      compression.begin(1);
      exchange(sums, 0, compression.carry());
      for (int i = 0; i < values.capacity(); i++) {
        if (!Float.isFinite(values.get(i))) {
          return false;
        }
      }
      return true;
    }
  }

  @Test
  void theDensityFallsFromAQuarterDuringTheWarmUp() throws Exception {
    CompressionConfig config = CompressionConfig.of(Type.TOP_K).withDensity(0.01, 4);
    List<Long> bytes =
        RankThreads.run(
                2,
                group -> {
                  try (FlatBuffers gradients = new FlatBuffers(LAYOUT, group::allocate);
                      Compression compression = new Compression(config, group, gradients, RANGES)) {
                    RangeSum sum = compression.sum(RANGES.get(0));
                    List<Long> sent = new ArrayList<>();
                    for (int step = 0; step < 6; step++) {
                      sum.start(step, 1).await();
                      sent.add(sum.sentBytes());
                    }
                    return sent;
                  }
                })
            .get(0);
    // ⌈1216·0.25·(1/25)^(t/4)⌉ indices and values of 8 bytes, to one other rank.
    assertEquals(List.of(8 * 304L, 8 * 136L, 8 * 61L, 8 * 28L, 8 * 13L, 8 * 13L), bytes);
  }

  @Test
  void aTypeOrANumberOutOfRangeIsRefusedByName() {
    ConfigKeyException type =
        assertThrows(ConfigKeyException.class, () -> CompressionConfig.of("int4"));
    assertTrue(
        type.getMessage().contains("one_bit, top_k, power_sgd, auto, not int4"), type.getMessage());
    CompressionConfig some = CompressionConfig.of("top-k");
    assertEquals(Type.TOP_K, some.type());
    assertThrows(ConfigKeyException.class, () -> some.withDensity(0, 0));
    assertThrows(ConfigKeyException.class, () -> some.withDensity(1.1, 0));
    assertThrows(ConfigKeyException.class, () -> some.withDensity(0.1, -1));
    assertThrows(ConfigKeyException.class, () -> some.withMomentum(1));
    assertThrows(ConfigKeyException.class, () -> some.withRank(0, 2));
  }
}
