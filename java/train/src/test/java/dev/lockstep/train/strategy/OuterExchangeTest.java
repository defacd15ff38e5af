package dev.lockstep.train.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.comm.Communicator;
import dev.lockstep.model.FloatType;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.engine.Loss;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.optimizer.LocalOptimizer;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** DiLoCo's outer steps on the quadratic x²/2, by hand. */
@Timeout(120)
class OuterExchangeTest {
  private static final int RANKS = 2;
  private static final double RATE = 0.1;
  private static final double OUTER_RATE = 0.7;
  private static final double MOMENTUM = 0.9;
  private static final int EVERY = 4;

  /** Ends before, with and after the outer step that is due when all has been sent. */
  @ParameterizedTest
  @CsvSource({
    "0, 4, 0",
    "0, 5, 0",
    "2, 3, 0",
    "2, 4, 0",
    "2, 5, 0",
    "2, 6, 0",
    "2, 7, 0",
    "2, 9, 0",
    "2, 5, 0.5",
    "2, 6, 0.5",
    "2, 7, 0.5"
  })
  void theEndTakesOneOuterStepAndNoneWhereOneHasJustBeenTaken(
      int delay, int steps, double innerShare) throws Exception {
    Diloco.Options options =
        Diloco.Options.of(EVERY, 1, delay, OUTER_RATE, MOMENTUM, innerShare, null);
    List<Double> found = RankThreads.run(RANKS, group -> train(group, options, steps));
    double expected = byHand(delay, steps, innerShare);
    for (double outer : found) {
      assertEquals(expected, outer, 1e-12);
    }
  }

  private static double byHand(int delay, int steps, double innerShare) {
    double[] x = {start(0), start(1)};
    Outer outer = new Outer();
    double sent = Double.NaN;
    int last = 0;
    for (int step = 1; step <= steps; step++) {
      x[0] -= RATE * x[0];
      x[1] -= RATE * x[1];
      if (step % EVERY == 0) {
        sent = outer.value - (x[0] + x[1]) / 2;
      }
      if (step > delay && (step - delay) % EVERY == 0) {
        outer.step(sent, x, innerShare);
        sent = Double.NaN;
        last = step;
      }
    }
    if (!Double.isNaN(sent)) {
      outer.step(sent, x, innerShare);
    } else if (last < steps) {
      outer.step(outer.value - (x[0] + x[1]) / 2, x, innerShare);
    }
    return outer.value;
  }

  /** SGD with Nesterov momentum, as PyTorch writes it. */
  private static final class Outer {
    double value = 1;
    double momentum;

    void step(double gradient, double[] x, double innerShare) {
      momentum = MOMENTUM * momentum + gradient;
      value -= OUTER_RATE * (gradient + MOMENTUM * momentum);
      for (int rank = 0; rank < x.length; rank++) {
        x[rank] = innerShare * x[rank] + (1 - innerShare) * value;
      }
    }
  }

  private static double start(int rank) {
    return 1 + 0.5 * rank;
  }

  /** The outer parameter that is shown at the end. */
  private static double train(Communicator group, Diloco.Options options, int steps) {
    ModelConfig config = ModelConfig.of(null, List.of(), null, null, FloatType.FLOAT64);
    try (Model model = Model.mlp(config, 1, 1, 1);
        RoleContext context =
            new RoleContext(
                group,
                model,
                OptimizerConfig.defaults(),
                new Loss(LossType.MSE, 1),
                null,
                1,
                null)) {
      FlatParameters parameters = context.parameters();
      OuterExchange exchange =
          context.own(
              new OuterExchange(
                  options,
                  context,
                  parameters,
                  context.buffers(),
                  context.own(new LocalOptimizer(context.optimizer(), parameters))));
      TrainingState state = new TrainingState();
      exchange.declare(state);
      put(parameters.values(), 1);
      state.broadcast(group);
      put(parameters.values(), start(group.rank()));
      for (int step = 0; step < steps; step++) {
        double x = get(parameters.values());
        put(parameters.values(), x - RATE * x);
        exchange.afterUpdate(
            new Step(step, Step.NONE.batch(), List.of(), RATE, 0, Step.NONE.needs()),
            new Reduced(List.of(), 0, true, Set.of()));
      }
      exchange.synchronize(SyncPoint.END);
      return get(parameters.values());
    }
  }

  private static void put(FlatBuffers flat, double value) {
    NativeView.bytes(flat.address(0), Double.BYTES).putDouble(0, value);
  }

  private static double get(FlatBuffers flat) {
    return NativeView.bytes(flat.address(0), Double.BYTES).getDouble(0);
  }
}
