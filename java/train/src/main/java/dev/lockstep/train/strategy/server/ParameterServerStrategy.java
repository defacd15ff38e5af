package dev.lockstep.train.strategy.server;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.Checks;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.strategy.RoleContext;
import dev.lockstep.train.strategy.StrategyProvider;
import dev.lockstep.train.strategy.VerifiedSetting;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code parameter_server}: servers keep the parameters and the optimiser's state, workers push
 * gradients and pull parameters. So workers need not wait for each other (Ho et al. 2013, "More
 * effective distributed ML via a stale synchronous parallel parameter server"; Li et al. 2014,
 * "Scaling distributed machine learning with the parameter server").
 */
public final class ParameterServerStrategy
    implements StrategyProvider<ParameterServerStrategy.Options> {
  /** Who waits for whom. */
  public enum Synchronization {
    /** All for all, at every step: the result is that of data-parallel training. */
    @JsonProperty("synchronous")
    SYNCHRONOUS,
    /** Nobody: each push is an update, and its worker goes on with the parameters of then. */
    @JsonProperty("asynchronous")
    ASYNCHRONOUS,
    /**
     * Those who are {@code staleness} steps ahead of the slowest: parameters contain a worker's own
     * pushes and those of all others but the last {@code staleness}, and possibly these.
     */
    @JsonProperty("bounded")
    BOUNDED
  }

  /**
   * The keys beside {@code type}.
   *
   * @param synchronization who waits for whom
   * @param staleness of bounded: how many steps a worker may be ahead of the slowest, at least 0; 0
   *     is synchronous
   * @param servers ranks, the first ones, that only serve and compute nothing; 0: every rank serves
   *     a slice of the parameters and computes. Always fewer than all ranks. With dedicated servers
   *     the others go on when a worker dies
   * @param dropSlowest of synchronous: how many workers a step does without, at least 0
   * @param rateByStaleness of asynchronous and bounded: whether an update's learning rate is
   *     divided by 1 + its gradient's age in updates
   */
  public record Options(
      Synchronization synchronization,
      int staleness,
      int servers,
      int dropSlowest,
      boolean rateByStaleness) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of its range; the message names the key
     */
    public Options {
      Checks.atLeast("staleness", staleness, 0);
      Checks.atLeast("servers", servers, 0);
      Checks.atLeast("drop_slowest", dropSlowest, 0);
      if (dropSlowest > 0 && synchronization != Synchronization.SYNCHRONOUS) {
        throw new ConfigKeyException(
            "drop_slowest", "needs synchronization: synchronous; the others wait for nobody.");
      }
      if (rateByStaleness && synchronization == Synchronization.SYNCHRONOUS) {
        throw new ConfigKeyException(
            "rate_by_staleness",
            "needs synchronization: asynchronous or bounded; synchronous gradients are not old.");
      }
    }

    /** From the keys that a file gives; the others take their defaults. */
    @JsonCreator
    public static Options of(
        @JsonProperty("synchronization") @Nullable Synchronization synchronization,
        @JsonProperty("staleness") @Nullable Integer staleness,
        @JsonProperty("servers") @Nullable Integer servers,
        @JsonProperty("drop_slowest") @Nullable Integer dropSlowest,
        @JsonProperty("rate_by_staleness") @Nullable Boolean rateByStaleness) {
      return new Options(
          synchronization == null ? Synchronization.BOUNDED : synchronization,
          staleness == null ? 4 : staleness,
          servers == null ? 0 : servers,
          dropSlowest == null ? 0 : dropSlowest,
          rateByStaleness != null && rateByStaleness);
    }

    /** All workers wait for all. */
    public static Options synchronous() {
      return of(Synchronization.SYNCHRONOUS, null, null, null, null);
    }

    /** No worker waits. */
    public static Options asynchronous() {
      return of(Synchronization.ASYNCHRONOUS, null, null, null, null);
    }

    /** A worker waits when it is so many steps ahead of the slowest. */
    public static Options bounded(int staleness) {
      return of(Synchronization.BOUNDED, staleness, null, null, null);
    }

    /** The same with ranks that only serve. */
    public Options withServers(int number) {
      return new Options(synchronization, staleness, number, dropSlowest, rateByStaleness);
    }

    /** The same with steps that do without their slowest workers. */
    public Options withDropSlowest(int number) {
      return new Options(synchronization, staleness, servers, number, rateByStaleness);
    }

    /** The same with learning rates by the gradients' age. */
    public Options withRateByStaleness(boolean divided) {
      return new Options(synchronization, staleness, servers, dropSlowest, divided);
    }

    /** Whether all workers wait for all. */
    boolean isSynchronous() {
      return synchronization == Synchronization.SYNCHRONOUS
          || (synchronization == Synchronization.BOUNDED && staleness == 0);
    }

    /** By how many steps a worker may be ahead of the slowest. */
    long bound() {
      return synchronization == Synchronization.ASYNCHRONOUS ? Clocks.UNBOUNDED : staleness;
    }

    /** Ranks of so many that only serve: one is always left to compute. */
    int dedicated(int ranks) {
      return Math.min(servers, ranks - 1);
    }
  }

  @Override
  public String type() {
    return "parameter_server";
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public int ranksWithoutSamples(Options options, int ranks) {
    return options.dedicated(ranks);
  }

  @Override
  public List<VerifiedSetting<Options>> verifiedSettings() {
    return List.of(
        // The same bits on 2 ranks; elsewhere an all-reduce may sum in another order.
        VerifiedSetting.equal("bounded 0", Options.bounded(0), VerifiedSetting.SGD, 1e-5),
        VerifiedSetting.equal(
                "synchronous, 1 server",
                Options.synchronous().withServers(1),
                VerifiedSetting.MOMENTUM,
                1e-5)
            .surviving(),
        VerifiedSetting.dependingOnTiming("bounded 2", Options.bounded(2), VerifiedSetting.ADAM),
        VerifiedSetting.dependingOnTiming(
            "asynchronous", Options.asynchronous().withRateByStaleness(true), VerifiedSetting.SGD),
        VerifiedSetting.dependingOnTiming(
            "drop_slowest 1", Options.synchronous().withDropSlowest(1), VerifiedSetting.MOMENTUM));
  }

  @Override
  public Role create(Options options, RoleContext context) {
    int ranks = context.communicator().size();
    Serving serving = new Serving(options, ranks);
    if (options.dropSlowest() > 0 && ranks > 1 && options.dropSlowest() >= serving.workers()) {
      throw new ConfigKeyException(
          "strategy.drop_slowest",
          "must be below the number of workers, "
              + serving.workers()
              + ", not "
              + options.dropSlowest()
              + ".");
    }
    FlatParameters parameters = context.parameters();
    ModelBuffers buffers = context.buffers();
    int rank = context.communicator().rank();
    ServedSlice slice =
        context.own(
            new ServedSlice(context.optimizer(), parameters.layout(), rank, serving.servers()));
    PushPull exchange =
        context.own(
            new PushPull(
                serving, context.communicator(), parameters, buffers, slice, new Staleness(false)));
    Role worker = context.worker(parameters, buffers, exchange, exchange, exchange);
    return new ServedRole(worker, exchange, serving.works(rank));
  }
}
