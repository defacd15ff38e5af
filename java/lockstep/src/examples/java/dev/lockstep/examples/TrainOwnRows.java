package dev.lockstep.examples;

import dev.lockstep.comm.Communicator;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.RunConfig;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.train.TrainingJob;
import dev.lockstep.train.TrainingResult;
import java.util.List;
import java.util.Optional;

/** Trains on rows that the application holds, without any file or folder. */
public final class TrainOwnRows {
  private TrainOwnRows() {}

  /** Rows in memory: x, and the y that belongs to it. */
  record OwnRows(double[] x, double[] y) implements Dataset {
    @Override
    public long size() {
      return x.length;
    }

    @Override
    public List<String> featureNames() {
      return List.of("x");
    }

    @Override
    public List<String> targetNames() {
      return List.of("y");
    }

    @Override
    public void read(long[] indices, int from, int count, double[] features, double[] targets) {
      for (int i = 0; i < count; i++) {
        int row = Math.toIntExact(indices[from + i]);
        features[i] = x[row];
        targets[i] = y[row];
      }
    }

    @Override
    public long point(long sample) {
      return sample;
    }

    @Override
    public String description() {
      return x.length + " rows in memory";
    }

    @Override
    public void close() {}
  }

  /** Trains; collective where the process was launched among others. */
  public static TrainingResult train(double[] x, double[] y) {
    String yaml =
        """
        name: own-rows
        data: {path: in-memory, features: [x], targets: [y]}
        model: {hidden: [32]}
        training: {epochs: 20, batch_size: 64}
        """;
    RunConfig config = ConfigLoader.parse(RunConfig.class, "own rows", yaml, List.of());
    Dataset rows = new OwnRows(x, y);
    Split split = Split.of(rows.size(), 0.2, config.data().seed());
    try (Communicator ranks = Communicator.fromEnvironment(config.communicator())) {
      return new TrainingJob(
              config.plan(), rows, split, ranks, TrainingListener.none(), Optional.empty())
          .run(false);
    }
  }
}
