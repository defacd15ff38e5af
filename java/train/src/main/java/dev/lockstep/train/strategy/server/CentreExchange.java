package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientExchange;
import dev.lockstep.train.engine.ParameterExchange;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.optimizer.Optimizer;
import dev.lockstep.train.strategy.LocalGradients;
import dev.lockstep.train.strategy.OwnParameters;
import dev.lockstep.train.strategy.RoleContext;
import dev.lockstep.train.strategy.VerifiedSetting;
import dev.lockstep.train.strategy.server.Request.Kind;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.jspecify.annotations.Nullable;

/**
 * A rank's part in asynchronous elastic averaging: each rank keeps a slice of the centre, and pulls
 * itself and the centre together every few steps, when it comes to it ({@link CentreUpdates}). As
 * in the paper, gradient and pull are of the parameters before the step, so the pull travels while
 * the step is computed.
 */
public final class CentreExchange implements GradientExchange, ParameterExchange {
  private final int every;
  private final Communicator group;
  private final FlatParameters parameters;
  private final ModelBuffers buffers;
  private final Optimizer optimizer;
  private final LocalGradients local;
  private final OwnParameters own;
  private final ServedSlice slice;
  private final Servers servers;

  /** The parameters before the step. */
  private final FlatBuffers sent;

  /** What is to be taken from them; at other times the centre. */
  private final FlatBuffers answered;

  /** What this rank has to tell the others with its next exchange. */
  private final Set<Word> raised = EnumSet.noneOf(Word.class);

  /**
   * Takes the memory, which the context owns; serves from when the state is restored.
   *
   * @param every optimiser steps between a rank's exchanges
   * @param alpha how much of its distance to the centre a rank gives up, and the centre follows
   * @param own where a rank's parameters are while the centre is shown
   */
  public CentreExchange(
      int every,
      double alpha,
      RoleContext context,
      FlatParameters parameters,
      ModelBuffers buffers,
      Optimizer optimizer,
      OwnParameters own) {
    this.every = every;
    this.parameters = parameters;
    this.buffers = buffers;
    this.optimizer = optimizer;
    this.own = own;
    group = context.communicator();
    local = new LocalGradients(group, parameters);
    sent = context.own(new FlatBuffers(parameters.layout(), NativeMemory::allocate));
    answered = context.own(new FlatBuffers(parameters.layout(), NativeMemory::allocate));
    // Plain SGD has no state: the centre takes no optimiser's steps.
    slice =
        context.own(
            new ServedSlice(VerifiedSetting.SGD, parameters.layout(), group.rank(), group.size()));
    servers =
        new Servers(
            Serving.byAll(group.size()),
            group,
            parameters.layout(),
            slice,
            server -> new CentreUpdates(server, slice, alpha));
  }

  @Override
  public double weight(Batch batch) {
    return local.weight(batch);
  }

  @Override
  public void begin(Step step) {
    if (isDue(step)) {
      sent.copyFrom(parameters.values());
      raised.addAll(step.needs().words());
      servers.begin(request(Kind.PUSH, number(step), 1), sent, answered);
      raised.clear();
    }
  }

  private boolean isDue(Step step) {
    return (step.number() + 1) % every == 0;
  }

  /** Of an exchange, from 0. */
  private long number(Step step) {
    return (step.number() + 1) / every - 1;
  }

  private Request request(Kind kind, long number, double share) {
    return new Request(kind, number, Servers.bits(raised), share, 0, new BitSet());
  }

  @Override
  public void backwardBegins(boolean lossIsFinite) {
    local.backwardBegins(lossIsFinite);
  }

  @Override
  public Reduced complete(Computed computed) {
    return local.complete(computed);
  }

  @Override
  public Set<Word> afterUpdate(Step step, Reduced reduced) {
    raised.addAll(reduced.raised());
    // How often parameters were used is agreed on whenever the model is shown.
    raised.remove(Word.UNUSED);
    if (!isDue(step)) {
      raised.addAll(step.needs().words());
      servers.stepped();
      return Set.of();
    }
    servers.finish();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int g = 0; g < parameters.layout().groups().size(); g++) {
        parameters.values().whole(g).sub_(answered.whole(g));
      }
    }
    return servers.agreed(number(step));
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    servers.ask(request(Kind.MEET, servers.next(), 0), sent, answered);
    raised.clear();
    Set<Word> words = servers.words();
    buffers.startMerge(1.0 / group.size(), 0);
    buffers.finishMerge();
    optimizer.agreeOnSteps(group);
    own.show(answered);
    return words;
  }

  @Override
  public void goOn() {
    own.takeUp();
    servers.resume();
  }

  @Override
  public void declare(TrainingState state) {
    own.declare(state);
    state.onRestored(
        () -> {
          // The model's memory has the centre: the first parameters of all ranks, or the saved one.
          slice.load(parameters.values());
          servers.start();
        });
  }

  /** This rank's server; for tests. */
  @Nullable SliceServer server() {
    return servers.server();
  }

  @Override
  public double waitedSeconds() {
    return servers.waitedSeconds();
  }

  @Override
  public void close() {
    servers.close();
  }
}
