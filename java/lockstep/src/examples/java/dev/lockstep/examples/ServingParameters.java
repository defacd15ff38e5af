package dev.lockstep.examples;

import dev.lockstep.comm.Communicator;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.server.ParameterClient;
import dev.lockstep.train.server.ParameterServer;
import dev.lockstep.train.server.ParameterService;

/** A parameter server between ranks, for a program that computes gradients itself. */
public final class ServingParameters {
  private ServingParameters() {}

  /** Rank 0 serves; the others push gradients, and update as soon as all of them have. */
  public static void run(int steps) {
    try (Communicator ranks = Communicator.fromEnvironment()) {
      if (ranks.rank() == 0) {
        try (ParameterServer server =
                new ParameterServer(OptimizerConfig.defaults(), ranks.size() - 1);
            ParameterService service = server.serve(ranks)) {
          server.set("weights", new float[100]);
          ranks.barrier(); // it serves
          ranks.barrier(); // all are done
        }
        return;
      }
      ranks.barrier();
      ParameterClient server = new ParameterClient(ranks, 0);
      for (int step = 0; step < steps; step++) {
        float[] weights = server.get("weights");
        server.accumulate("weights", gradientOf(weights));
        server.applyIfReady("weights");
      }
      ranks.barrier();
    }
  }

  private static float[] gradientOf(float[] weights) {
    return weights.clone(); // of |w|² ÷ 2
  }
}
