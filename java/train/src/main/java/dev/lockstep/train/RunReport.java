package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DataPartitioner;
import dev.lockstep.data.field.FieldDataset;
import dev.lockstep.monitor.FieldMaps;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.RunStart;
import dev.lockstep.monitor.RunSummary;
import dev.lockstep.monitor.TestScores;
import dev.lockstep.train.engine.Evaluator.Evaluation;
import dev.lockstep.train.memory.ParameterHash;
import dev.lockstep.train.strategy.Strategies;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/** What a run says of itself at its beginning and its end, and the model that it leaves. */
final class RunReport {
  private final TrainingAssembly run;
  private final Communicator communicator;
  private Optional<FieldMaps> maps = Optional.empty();

  RunReport(TrainingAssembly run) {
    this.run = run;
    this.communicator = run.task.communicator();
  }

  /** What will run; {@code epochs} are done already. */
  RunStart start(int threads, Optional<String> masterAddress, int epochs) {
    int shares = run.mesh.data().size();
    int idle = Strategies.ranksWithoutSamples(run.task.plan().strategy(), shares);
    DataPartitioner partitioner = new DataPartitioner(run.trainingSamples.length, shares - idle);
    List<Long> perRank =
        IntStream.range(0, communicator.size())
            .map(run.mesh::dataRank)
            .mapToObj(share -> share < idle ? 0 : partitioner.size(share - idle))
            .toList();
    return new RunStart(
        run.task.plan().name(),
        backend(),
        communicator.size(),
        threads,
        masterAddress,
        perRank,
        run.task.split().validation().length,
        run.model.parameterCount(),
        epochs + 1,
        run.task.plan().training().epochs(),
        run.sampler.stepsPerEpoch());
  }

  /** The results; collective. */
  RunSummary summary(TrainingLoop loop, Evaluation evaluation) {
    byte[] hash = ParameterHash.of(run.model.parameters()).getBytes(StandardCharsets.US_ASCII);
    List<String> hashes =
        Arrays.stream(communicator.allGather(hash))
            .map(bytes -> new String(bytes, StandardCharsets.US_ASCII))
            .toList();
    RunTotals totals = loop.totals();
    return new RunSummary(
        totals.trainLoss(),
        evaluation.loss(),
        evaluation.scores(),
        run.trainingSamples.length,
        communicator.size(),
        backend(),
        loop.epochs(),
        totals.seconds(),
        totals.samplesPerSecond(),
        totals.seconds() > 0 ? run.role.waitedSeconds() / totals.seconds() : 0,
        hashes,
        testScores());
  }

  private Optional<TestScores> testScores() {
    long[] test = run.task.split().test();
    if (test.length == 0 || !(run.task.dataset() instanceof FieldDataset fields)) {
      return Optional.empty();
    }
    TestSet scored = new TestSet(run, fields);
    TestScores scores = scored.score(test);
    maps = scored.maps();
    return Optional.of(scores);
  }

  /** What the maps of the test samples show; known after {@link #summary}. */
  Optional<FieldMaps> maps() {
    return maps;
  }

  private String backend() {
    return communicator.backend().name().toLowerCase(Locale.ROOT);
  }

  /** Writes {@code model.pt}. */
  void saveModel(RunFolder folder) {
    ModelFile.save(
        run.model,
        run.normalizers(),
        run.task.plan().training().loss(),
        run.task.dataset(),
        folder.model());
  }
}
