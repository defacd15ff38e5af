package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.CheckpointStore;
import dev.lockstep.checkpoint.CheckpointWriter;
import dev.lockstep.checkpoint.Placement.Resize;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.data.DataPartitioner;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.memory.ParameterRange;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** State that lies in parts on the ranks finds its place again on another number of ranks. */
@Timeout(180)
class StateRestoreTest {
  private static final int WHOLE = 103;

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  /** One rank's memory: a part of a vector, and three copies of its own. */
  private static final class Memory implements AutoCloseable {
    private final DataPartitioner.Range part;
    private final FlatBuffers shard;
    private final FlatBuffers residual = flat(2);
    private final FlatBuffers clock = flat(2);
    private final FlatBuffers copy = flat(2);
    private final FlatBuffers mixed = flat(2);
    private final TrainingState state = new TrainingState();

    Memory(Communicator ranks) {
      part = new DataPartitioner(WHOLE, ranks.size()).partition(ranks.rank());
      shard = flat(part.size());
      state.sharded("moment", shard, new ParameterRange(0, 0, part.size()), part.from(), WHOLE);
      state.perRank("residual.", residual, Resize.SUM_SHARED_OUT);
      state.perRank("clock.", clock, Resize.MINIMUM);
      state.perRank("copy.", copy, Resize.FIRST);
      state.perRank("mixed.", mixed, Resize.MEAN);
    }

    private static FlatBuffers flat(long count) {
      FlatLayout.Slot slot = new FlatLayout.Slot("x", new long[] {count}, 0, 0, count);
      FlatLayout.Group group = new FlatLayout.Group(ScalarType.Float, Float.BYTES, count);
      return new FlatBuffers(new FlatLayout(List.of(slot), List.of(group)), NativeMemory::allocate);
    }

    private static FloatBuffer floats(FlatBuffers flat) {
      long count = flat.layout().slots().get(0).count();
      return NativeView.bytes(flat.address(0), count * Float.BYTES).asFloatBuffer();
    }

    @Override
    public void close() {
      List.of(shard, residual, clock, copy, mixed).forEach(FlatBuffers::close);
    }
  }

  private Path save(int saved) throws Exception {
    Path into = folder.resolve("from" + saved);
    RankThreads.run(
        saved,
        ranks -> {
          try (Memory memory = new Memory(ranks);
              StagedState staged = StagedState.of(memory.state, ranks, true);
              CheckpointWriter writer =
                  new CheckpointWriter(
                      new CheckpointStore(into, 1),
                      ranks.rank(),
                      saved,
                      UnaryOperator.identity())) {
            for (int i = 0; i < memory.part.size(); i++) {
              Memory.floats(memory.shard).put(i, memory.part.from() + i);
            }
            Memory.floats(memory.residual).put(0, ranks.rank() + 1);
            Memory.floats(memory.clock).put(0, 10 + ranks.rank());
            Memory.floats(memory.copy).put(0, 20 + ranks.rank());
            Memory.floats(memory.mixed).put(0, 30 + ranks.rank());
            writer.write(7, staged.copy(), JsonNodeFactory.instance.objectNode());
            while (!writer.await(1000)) {
              Thread.onSpinWait();
            }
          }
          return null;
        });
    return into;
  }

  @Test
  void partsAreCutAnewAndOwnCopiesFollowTheirRule() throws Exception {
    for (int saved = 1; saved <= 4; saved++) {
      Path from = save(saved);
      float mean = 30 + (saved - 1) / 2f;
      float sum = saved * (saved + 1) / 2f;
      for (int resumed = 1; resumed <= 4; resumed++) {
        int to = resumed;
        boolean same = saved == resumed;
        RankThreads.run(
            to,
            ranks -> {
              try (Memory memory = new Memory(ranks)) {
                StateRestore restore = new StateRestore(memory.state, ranks);
                Checkpoint checkpoint =
                    ranks.rank() > 0
                        ? null
                        : new CheckpointStore(from, 1)
                            .latest(any -> restore.reasonToRefuse(any, ""))
                            .checkpoint()
                            .orElseThrow();
                restore.restore(checkpoint);
                for (int i = 0; i < memory.part.size(); i++) {
                  assertEquals(memory.part.from() + i, Memory.floats(memory.shard).get(i));
                }
                int rank = ranks.rank();
                assertEquals(same ? rank + 1 : sum / to, Memory.floats(memory.residual).get(0));
                assertEquals(same ? 10 + rank : 10, Memory.floats(memory.clock).get(0));
                assertEquals(same ? 20 + rank : 20, Memory.floats(memory.copy).get(0));
                assertEquals(same ? 30 + rank : mean, Memory.floats(memory.mixed).get(0));
              }
              return null;
            });
      }
    }
  }

  @Test
  void stateThatTheRunHasNotIsARefusal() throws Exception {
    Path from = save(2);
    try (Communicator alone = Communicator.single()) {
      Optional<String> reason =
          new StateRestore(new TrainingState(), alone)
              .reasonToRefuse(CheckpointStore.load(from.resolve("step-000000000007")), "");
      assertTrue(reason.orElseThrow().contains("it has a tensor clock.x"), reason.toString());
    }
  }
}
