package dev.lockstep.train.strategy.pipeline;

import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;
import dev.lockstep.model.Stage;
import java.nio.ByteBuffer;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * How long each stage's forward pass takes, measured by rank 0 with zeros. Backward takes about
 * twice that in any layer, and so changes no balance. The times decide who computes what, never
 * what comes out.
 */
final class StageTimes {
  private static final int PASSES = 3;

  private StageTimes() {}

  /**
   * Measures; collective.
   *
   * @param inputs the shape of a piece
   * @return seconds of each stage, the same on all ranks
   */
  static double[] measure(Model model, long[] inputs, Communicator communicator) {
    double[] seconds = new double[model.stages().size()];
    if (communicator.rank() == 0) {
      model.setTraining(false); // batch statistics stay as they are
      try {
        for (int pass = 0; pass < PASSES; pass++) {
          pass(model, inputs, seconds, pass == 0);
        }
      } finally {
        model.setTraining(true);
      }
    }
    ByteBuffer bytes = ByteBuffer.allocate(seconds.length * Double.BYTES);
    bytes.asDoubleBuffer().put(seconds);
    ByteBuffer.wrap(communicator.broadcast(bytes.array(), 0)).asDoubleBuffer().get(seconds);
    return seconds;
  }

  private static void pass(Model model, long[] inputs, double[] seconds, boolean first) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor current = torch.zeros(inputs, new TensorOptions(model.type().scalarType()));
      List<Stage> stages = model.stages();
      for (int i = 0; i < seconds.length; i++) {
        long start = System.nanoTime();
        current = stages.get(i).forward(current);
        double taken = (System.nanoTime() - start) * 1e-9;
        seconds[i] = first ? taken : Math.min(seconds[i], taken);
      }
    }
  }
}
