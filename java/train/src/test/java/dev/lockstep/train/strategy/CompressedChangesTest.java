package dev.lockstep.train.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.lockstep.comm.Communicator;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.compression.CompressionConfig;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.engine.TrainingState.Entry;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.memory.ParameterRange;
import java.nio.FloatBuffer;
import java.util.List;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is kept of fragments' changes when a run goes on at another outer rate. */
@Timeout(120)
class CompressedChangesTest {
  private static final int COUNT = 64;
  private static final FlatLayout LAYOUT =
      new FlatLayout(
          List.of(new Slot("w", new long[] {COUNT}, 0, 0, COUNT)),
          List.of(new Group(ScalarType.Float, Float.BYTES, COUNT)));
  private static final List<ParameterRange> FRAGMENTS =
      List.of(new ParameterRange(0, 0, COUNT / 2), new ParameterRange(0, COUNT / 2, COUNT / 2));

  /** Residuals are in units of changes, which count times the outer rate. */
  @Test
  void residualsOfAllFragmentsAreRescaledAtOnceWhenTheOuterRateChangesOnResume() throws Exception {
    RankThreads.run(
        1,
        group -> {
          try (FlatBuffers change = new FlatBuffers(LAYOUT, group::allocate);
              CompressedChanges before = changes(0.5, group, change);
              CompressedChanges after = changes(1, group, change)) {
            TrainingState saved = state(before, group);
            for (int i = 0; i < COUNT; i++) {
              values(change).put(i, i % 7 + 1);
            }
            exchange(before, FRAGMENTS.get(0), 1);
            exchange(before, FRAGMENTS.get(1), 2);
            float[] kept = residual(saved);
            TrainingState resumed = new TrainingState();
            after.declare(resumed);
            resumed.restoreValues(saved.values());
            FloatBuffer restored = residualBuffer(resumed);
            restored.put(0, kept);
            resumed.broadcast(group);
            for (int i = 0; i < COUNT; i++) {
              assertEquals(kept[i] / 2, restored.get(i), 0, "element " + i);
            }
            assertNotEquals(0, kept[0], "something is kept");
            assertNotEquals(0, kept[COUNT - 1], "something is kept of the later fragment");
            change.zero();
            exchange(after, FRAGMENTS.get(0), 3);
            assertEquals(kept[COUNT - 1] / 2, restored.get(COUNT - 1), 0, "and not once more");
            assertEquals(1, resumed.values().get("compression_rate").asDouble());
          }
          return null;
        });
  }

  private static CompressedChanges changes(double rate, Communicator group, FlatBuffers change) {
    return new CompressedChanges(
        CompressionConfig.of(CompressionConfig.Type.TOP_K).withDensity(0.03, 0),
        rate,
        group,
        change,
        FRAGMENTS);
  }

  private static TrainingState state(CompressedChanges changes, Communicator group) {
    TrainingState state = new TrainingState();
    changes.declare(state);
    state.broadcast(group);
    return state;
  }

  private static void exchange(CompressedChanges changes, ParameterRange fragment, long step) {
    changes.start(fragment, step).await();
    changes.finish(List.of(fragment));
  }

  private static FloatBuffer values(FlatBuffers flat) {
    return NativeView.bytes(flat.address(0), COUNT * Float.BYTES).asFloatBuffer();
  }

  private static FloatBuffer residualBuffer(TrainingState state) {
    Entry entry =
        state.entries().stream()
            .filter(any -> any.name().startsWith("compression.residual."))
            .findFirst()
            .orElseThrow();
    return NativeView.bytes(entry.address(), entry.bytes()).asFloatBuffer();
  }

  private static float[] residual(TrainingState state) {
    float[] kept = new float[COUNT];
    residualBuffer(state).get(0, kept);
    return kept;
  }
}
