package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.model.TrainingPass;
import dev.lockstep.train.PrecisionConfig.Type;
import dev.lockstep.train.engine.Autocast;
import dev.lockstep.train.engine.MixedPrecision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The choice of {@code precision: auto}: passes of the model, forward and backward, in float32 and
 * in bf16 in turns, on made-up samples, before training begins. It leaves the model as it was.
 */
final class PrecisionTrial {
  private static final Logger log = LoggerFactory.getLogger(PrecisionTrial.class);

  /** Of each type; the first is not counted, as memory is taken and code is compiled in it. */
  private static final int PASSES = 6;

  /** What bf16 must save at least: it costs digits. */
  private static final double WORTH = 0.95;

  private final Model model;
  private final Communicator communicator;
  private final LongSupplier clock;

  PrecisionTrial(Model model, Communicator communicator, LongSupplier clock) {
    this.model = model;
    this.communicator = communicator;
    this.clock = clock;
  }

  /**
   * The type that the slowest rank's passes are the fastest in; collective.
   *
   * @param shape of a piece's inputs, [samples, …]
   */
  Type choose(long[] shape) {
    double[] own = times(shape);
    double[] all = communicator.allReduce(own, ReduceOp.MAX);
    Type chosen = faster(all[0], all[1]);
    if (communicator.rank() == 0) {
      log.info(
          String.format(
              Locale.ROOT,
              "Precision auto: %s. A pass of %d samples takes %.2f ms in float32 and %.2f ms in"
                  + " bf16 on the slowest rank.",
              chosen.name().toLowerCase(Locale.ROOT),
              shape[0],
              all[0],
              all[1]));
    }
    return chosen;
  }

  /** Which of both to take, by the milliseconds of a pass. */
  static Type faster(double float32, double bf16) {
    return bf16 <= WORTH * float32 ? Type.BF16 : Type.FLOAT32;
  }

  private double[] times(long[] shape) {
    List<Tensor> before = new ArrayList<>();
    try (PointerScope scope = new PointerScope()) {
      for (ModelTensor buffer : model.buffers()) {
        before.add(buffer.tensor().detach().clone());
      }
      torch.manual_seed(0);
      Tensor inputs = torch.randn(shape).to(model.type().scalarType());
      double[][] millis = new double[2][PASSES];
      for (int pass = 0; pass < PASSES; pass++) {
        millis[0][pass] = time(inputs, Type.FLOAT32);
        millis[1][pass] = time(inputs, Type.BF16);
      }
      restore(before);
      return new double[] {median(millis[0]), median(millis[1])};
    }
  }

  private void restore(List<Tensor> before) {
    try (NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < before.size(); i++) {
        model.buffers().get(i).tensor().copy_(before.get(i));
      }
    }
    model.parameters().forEach(parameter -> parameter.tensor().mutable_grad().reset());
  }

  private double time(Tensor inputs, Type type) {
    long begin = clock.getAsLong();
    try (PointerScope scope = new PointerScope()) {
      TrainingPass pass;
      try (Autocast region =
          new Autocast(new MixedPrecision(PrecisionConfig.of(type), type).reducedType())) {
        pass = model.trainingPass(inputs, stage -> stage);
      }
      pass.backward(pass.output().to(model.type().scalarType()).sum());
    }
    return (clock.getAsLong() - begin) * 1e-6;
  }

  /** Of all but the first. */
  private static double median(double[] millis) {
    double[] sorted = Arrays.copyOfRange(millis, 1, millis.length);
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
