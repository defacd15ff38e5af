package dev.lockstep.train.strategy;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.comm.Communicator;
import dev.lockstep.train.Checks;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.optimizer.LocalOptimizer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code local_sgd}: ranks train on their own and average their parameters now and then. */
public final class LocalSgd implements StrategyProvider<LocalSgd.Options> {
  /**
   * The keys beside {@code type}.
   *
   * @param averageEvery optimiser steps between averages, at least 1
   */
  public record Options(int averageEvery) {
    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if it is out of its range; the message names the key
     */
    public Options {
      Checks.atLeast("average_every", averageEvery, 1);
    }

    /** From the keys that a file gives; the others take their defaults. */
    @JsonCreator
    public static Options of(@JsonProperty("average_every") @Nullable Integer averageEvery) {
      return new Options(averageEvery == null ? 1 : averageEvery);
    }
  }

  @Override
  public String type() {
    return "local_sgd";
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public List<VerifiedSetting<Options>> verifiedSettings() {
    return List.of(
        VerifiedSetting.equal("average_every 1", new Options(1), VerifiedSetting.SGD, 1e-5),
        VerifiedSetting.repeatable("average_every 3", new Options(3), VerifiedSetting.MOMENTUM));
  }

  @Override
  public Role create(Options options, RoleContext context) {
    Communicator group = context.communicator();
    FlatParameters parameters = context.parameters();
    ModelBuffers buffers = context.buffers();
    LocalOptimizer optimizer = context.own(new LocalOptimizer(context.optimizer(), parameters));
    return context.worker(
        parameters,
        buffers,
        new LocalGradients(group, parameters),
        optimizer,
        new Averaging(options.averageEvery(), group, parameters, buffers, optimizer));
  }
}
