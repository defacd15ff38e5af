package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.comm.Communicator;
import dev.lockstep.files.DurableFiles;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.strategy.DataParallel;
import dev.lockstep.train.strategy.LocalSgd;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints that all ranks write while they train. */
@Timeout(240)
class CheckpointRunTest {
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  /** Lets no byte through until some seconds after the first wanted to pass. */
  private record SlowChannel(WritableByteChannel sink, long nanos) implements WritableByteChannel {
    @Override
    public int write(ByteBuffer source) throws IOException {
      long end = System.nanoTime() + nanos;
      while (System.nanoTime() < end) {
        LockSupport.parkNanos(end - System.nanoTime());
      }
      return sink.write(source);
    }

    @Override
    public boolean isOpen() {
      return sink.isOpen();
    }

    @Override
    public void close() throws IOException {
      sink.close();
    }
  }

  @Test
  void aWriteThatTakesLongerThanTheDeadlineHarmsNothing() throws Exception {
    Runs.Plan plan = Runs.Plan.of(2, Runs.ADAM);
    List<TrainingResult> results =
        RankThreads.run(
            2,
            (group, rank, size) -> Communicator.inProcess(group, rank, size, 2.0),
            ranks -> {
              TrainingJob job = Runs.job(plan, data, ranks, TrainingListener.none(), folder);
              if (ranks.rank() == 1) {
                // The file's length, its header and its tensors: several writes, 3 s a checkpoint.
                job.writeCheckpointsThrough(file -> new SlowChannel(file, 500_000_000L));
              }
              return job.run(false);
            });
    assertFalse(results.get(0).stopped());
    assertEquals(18, Runs.checkpoint(folder).step());
    Runs.train(2, plan, data, folder.resolve("quick"));
    assertEquals(0, Runs.difference(folder, folder.resolve("quick")));
  }

  @Test
  void everyRankWritesItsShare() throws Exception {
    Runs.train(3, Runs.Plan.of(1, Runs.ADAM), data, folder);
    Path newest = new RunFolder(folder).checkpoints().resolve("step-000000000009");
    assertEquals(
        List.of(
            "manifest.json",
            "state.json",
            "tensors-1.safetensors",
            "tensors-2.safetensors",
            "tensors.safetensors"),
        DurableFiles.children(newest).stream().map(p -> p.getFileName().toString()).toList());
    Runs.train(1, Runs.Plan.of(1, Runs.ADAM), data, folder.resolve("one"));
    Checkpoint one = Runs.checkpoint(folder.resolve("one"));
    assertEquals(
        one.tensors().stream().map(tensor -> tensor.name()).sorted().toList(),
        Runs.checkpoint(folder).tensors().stream().map(tensor -> tensor.name()).sorted().toList());
  }

  @Test
  void aRankThatCannotWriteIsNamedOnAllRanks() {
    Runs.Plan plan = Runs.Plan.of(2, Runs.SGD);
    RuntimeException e =
        assertThrows(
            RuntimeException.class,
            () ->
                RankThreads.run(
                    2,
                    ranks -> {
                      TrainingJob job =
                          Runs.job(plan, data, ranks, TrainingListener.none(), folder);
                      if (ranks.rank() == 1) {
                        job.writeCheckpointsThrough(
                            file -> {
                              throw new java.io.UncheckedIOException(
                                  new IOException("No space left on device"));
                            });
                      }
                      return job.run(false);
                    }));
    assertTrue(
        e.getMessage().contains("Rank 1: ") && e.getMessage().contains("No space left"),
        e.getMessage());
    try (Stream<Path> left = Files.list(new RunFolder(folder).checkpoints())) {
      assertTrue(left.noneMatch(p -> p.getFileName().toString().startsWith("step-")));
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
  }

  @Test
  void whatNRanksSavedIsTheSameOnMRanks() throws Exception {
    List<StrategyConfig> strategies =
        List.of(
            StrategyConfig.of(DataParallel.Options.defaults()),
            StrategyConfig.of(new LocalSgd.Options(2)));
    for (StrategyConfig strategy : strategies) {
      Runs.Plan plan = Runs.Plan.of(1, Runs.ADAM).strategy(strategy);
      for (int saved = 1; saved <= 4; saved++) {
        Path run = folder.resolve(strategy.type() + saved);
        String hash =
            Runs.train(saved, plan, data, run)
                .get(0)
                .summary()
                .orElseThrow()
                .parametersSha256()
                .get(0);
        for (int resumed = 1; resumed <= 4; resumed++) {
          List<TrainingResult> results =
              RankThreads.run(resumed, ranks -> Runs.train(plan, data, ranks, run, true));
          for (TrainingResult result : results) {
            for (String other : result.summary().orElseThrow().parametersSha256()) {
              assertEquals(hash, other, strategy.type() + " " + saved + " to " + resumed);
            }
          }
        }
      }
    }
  }
}
