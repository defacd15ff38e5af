package dev.lockstep.train;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.CheckpointConfig;
import dev.lockstep.checkpoint.CheckpointStore;
import dev.lockstep.checkpoint.StoredTensor;
import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.strategy.DataParallel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Small training runs, and what they leave behind. */
final class Runs {
  static final OptimizerConfig SGD = optimizer(OptimizerConfig.Type.SGD, 0.05, 0);
  static final OptimizerConfig MOMENTUM = optimizer(OptimizerConfig.Type.SGD, 0.05, 0.9);
  static final OptimizerConfig ADAM = optimizer(OptimizerConfig.Type.ADAM, 0.002, 0);

  private Runs() {}

  static OptimizerConfig optimizer(
      OptimizerConfig.Type type, double learningRate, double momentum) {
    return OptimizerConfig.of(type, learningRate, momentum, null, null, null, null, null, null);
  }

  /** A plan with one thread a rank, whose parts a test may replace. */
  record Plan(
      ModelConfig model,
      TrainingConfig training,
      OptimizerConfig optimizer,
      StrategyConfig strategy) {

    static Plan of(int epochs, OptimizerConfig optimizer) {
      return new Plan(
          ModelConfig.of(null, List.of(16, 16), null, null, null),
          TrainingConfig.of(epochs, 30, null, null, null, null, null),
          optimizer,
          StrategyConfig.of(new DataParallel.Options(0.0005, 0.001, null)));
    }

    Plan model(Path file) {
      ModelConfig config = ModelConfig.of(ModelConfig.Type.FILE, null, null, file.toString(), null);
      return new Plan(config, training, optimizer, strategy);
    }

    Plan model(ModelConfig model) {
      return new Plan(model, training, optimizer, strategy);
    }

    Plan training(TrainingConfig training) {
      return new Plan(model, training, optimizer, strategy);
    }

    Plan strategy(StrategyConfig strategy) {
      return new Plan(model, training, optimizer, strategy);
    }

    TrainingPlan plan() {
      return new TrainingPlan(
          "test",
          3,
          1,
          model,
          training,
          optimizer,
          ScheduleConfig.defaults(),
          strategy,
          CheckpointConfig.of(1, 100));
    }
  }

  /** Trains on all ranks of a communicator. */
  static TrainingResult train(
      Plan plan, Dataset dataset, Communicator communicator, Path folder, boolean resume) {
    return job(plan, dataset, communicator, TrainingListener.none(), folder).run(resume);
  }

  static TrainingJob job(
      Plan plan,
      Dataset dataset,
      Communicator communicator,
      TrainingListener recorder,
      Path folder) {
    return new TrainingJob(
        plan.plan(),
        dataset,
        Split.of(dataset.size(), 0.2, 1),
        communicator,
        recorder,
        Optional.of(new RunFolder(folder)));
  }

  /** Trains on ranks that are threads; returns each rank's result. */
  static List<TrainingResult> train(int ranks, Plan plan, Dataset dataset, Path folder)
      throws Exception {
    return RankThreads.run(
        ranks, communicator -> train(plan, dataset, communicator, folder, false));
  }

  /** The newest checkpoint of a run. */
  static Checkpoint checkpoint(Path folder) {
    return new CheckpointStore(new RunFolder(folder).checkpoints(), 100)
        .latest(any -> Optional.empty())
        .checkpoint()
        .orElseThrow();
  }

  /** |a − b| ÷ |b| in the 2-norm, over the parameters of two runs' newest checkpoints. */
  static double difference(Path a, Path b) {
    double squares = 0;
    double norm = 0;
    for (StoredTensor tensor : checkpoint(b).tensors()) {
      if (!tensor.name().startsWith("model.")) {
        continue;
      }
      ByteBuffer mine = joined(checkpoint(a).tensor(tensor.name()));
      ByteBuffer other = joined(tensor);
      while (other.hasRemaining()) {
        double x = next(mine, tensor);
        double y = next(other, tensor);
        squares += (x - y) * (x - y);
        norm += y * y;
      }
    }
    return Math.sqrt(squares / norm);
  }

  /** All bytes of a tensor, which sharded training saves in pieces. */
  static ByteBuffer joined(StoredTensor tensor) {
    ByteBuffer all = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    tensor.pieces().forEach(all::put);
    return all.flip();
  }

  private static double next(ByteBuffer data, StoredTensor tensor) {
    return switch (tensor.type()) {
      case F32 -> data.getFloat();
      case F64 -> data.getDouble();
      default -> throw new IllegalArgumentException(tensor.type().name());
    };
  }
}
