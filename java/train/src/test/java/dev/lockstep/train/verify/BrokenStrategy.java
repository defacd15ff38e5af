package dev.lockstep.train.verify;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientExchange;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.engine.Update;
import dev.lockstep.train.memory.ControlWords;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.optimizer.LocalOptimizer;
import dev.lockstep.train.strategy.RoleContext;
import dev.lockstep.train.strategy.StrategyProvider;
import dev.lockstep.train.strategy.VerifiedSetting;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Strategies with one fault each. */
public final class BrokenStrategy implements StrategyProvider<BrokenStrategy.Options> {
  /** What is wrong. */
  public enum Fault {
    HALF_GRADIENT,
    NO_EXCHANGE,
    ARRIVAL_ORDER,
    FORGETS_STATE
  }

  /** The key beside {@code type}. */
  public record Options(Fault fault) {}

  @Override
  public String type() {
    return "broken";
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public List<VerifiedSetting<Options>> verifiedSettings() {
    return Arrays.stream(Fault.values())
        .map(
            fault ->
                VerifiedSetting.equal(
                    fault.name().toLowerCase(Locale.ROOT),
                    new Options(fault),
                    fault == Fault.FORGETS_STATE ? VerifiedSetting.MOMENTUM : VerifiedSetting.SGD,
                    1e-5))
        .toList();
  }

  @Override
  public Role create(Options options, RoleContext context) {
    FlatParameters parameters = context.parameters();
    LocalOptimizer optimizer = new LocalOptimizer(context.optimizer(), parameters);
    return context.worker(
        parameters,
        context.buffers(),
        new Exchange(options.fault(), context.communicator(), parameters),
        options.fault() == Fault.FORGETS_STATE ? new Forgetful(optimizer) : optimizer,
        ParameterExchange.NONE);
  }

  /** Does not say what is to be saved. */
  private record Forgetful(LocalOptimizer optimizer) implements Update {
    @Override
    public void apply(List<ParameterRange> owned, double rate, double scale) {
      optimizer.apply(owned, rate, scale);
    }

    @Override
    public void declare(TrainingState state) {}

    @Override
    public void close() {
      optimizer.close();
    }
  }

  private static final class Exchange implements GradientExchange {
    private final Fault fault;
    private final Communicator group;
    private final FlatParameters parameters;
    private final ControlWords words;
    private Step current = Step.NONE;

    Exchange(Fault fault, Communicator group, FlatParameters parameters) {
      this.fault = fault;
      this.group = group;
      this.parameters = parameters;
      words = new ControlWords(parameters.gradients());
    }

    @Override
    public double weight(Batch batch) {
      return batch.weight() * (fault == Fault.HALF_GRADIENT ? 0.5 : 1);
    }

    @Override
    public void begin(Step step) {
      current = step;
    }

    @Override
    public void backwardBegins(boolean lossIsFinite) {}

    @Override
    public Reduced complete(Computed computed) {
      FlatBuffers gradients = parameters.gradients();
      if (fault == Fault.ARRIVAL_ORDER) {
        sumAsTheyCome(gradients);
      } else if (fault != Fault.NO_EXCHANGE) {
        group.allReduce(gradients.span(0), ReduceOp.SUM);
      }
      words.set(current.needs().words());
      group.allReduce(words.span(), ReduceOp.SUM);
      return new Reduced(
          parameters.layout().everything(), parameters.squaredGradientNorm(), true, words.raised());
    }

    /** Rank 0 adds in the order in which messages come. */
    private void sumAsTheyCome(FlatBuffers gradients) {
      Span own = gradients.span(0);
      if (group.rank() > 0) {
        group.send(own, 0, 7);
      } else {
        try (NativeMemory memory = group.allocate(4 * own.count())) {
          Span other = memory.span(0, own.count(), own.type());
          ByteBuffer sum = NativeView.bytes(own.address(), 4 * own.count());
          ByteBuffer term = NativeView.bytes(other.address(), 4 * own.count());
          for (int i = 1; i < group.size(); i++) {
            group.receive(other, Communicator.ANY_RANK, 7);
            for (int e = 0; e < own.count(); e++) {
              sum.putFloat(4 * e, sum.getFloat(4 * e) + term.getFloat(4 * e));
            }
          }
        }
      }
      group.broadcast(own, 0);
    }

    @Override
    public double waitedSeconds() {
      return 0;
    }
  }
}
