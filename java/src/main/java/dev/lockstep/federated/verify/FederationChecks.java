package dev.lockstep.federated.verify;

import static dev.lockstep.train.verify.TrialChecks.SILENCE_TIMEOUT_SECONDS;
import static dev.lockstep.train.verify.TrialChecks.TIMEOUT_SECONDS;

import dev.lockstep.federated.FederationResult;
import dev.lockstep.federated.config.Algorithm;
import dev.lockstep.train.verify.Disturbance;
import dev.lockstep.train.verify.Finding;
import dev.lockstep.train.verify.TrialChecks;
import dev.lockstep.train.verify.TrialChecks.Check;
import dev.lockstep.train.verify.TrialChecks.Wrong;
import dev.lockstep.train.verify.TrialGroup;
import dev.lockstep.train.verify.TrialGroup.Conditions;
import dev.lockstep.train.verify.TrialGroup.Ending;
import dev.lockstep.train.verify.VerificationPlan;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** The checks of one federation, each in runs of its own. */
final class FederationChecks {
  private final VerificationPlan plan;
  private final FederationTrial trial;
  private final Path folder;

  FederationChecks(VerificationPlan plan, FederationTrial trial, Path folder) {
    this.plan = plan;
    this.trial = trial;
    this.folder = folder;
  }

  /** The checks, in the table's order; each runs when it is asked for its finding. */
  List<Supplier<Finding>> all() {
    List<Supplier<Finding>> all = new ArrayList<>();
    all.add(finding("same bytes on any ranks", this::anyRanks));
    if (plan.schedules() > 0) {
      all.add(finding("same bits in any order", this::schedules));
    }
    for (int ranks : new TreeSet<>(List.of(1, plan.ranks(), plan.ranks() + 1))) {
      all.add(finding("resume on " + ranks, () -> resumeOn(ranks)));
    }
    if (plan.faults() > 0) {
      all.add(finding("rank killed", () -> faults(false)));
      all.add(finding("rank silent", () -> faults(true)));
    }
    if (trial.federation().algorithm() != Algorithm.FEDBUFF) {
      all.add(finding("over a network", this::overNetwork));
    }
    return all;
  }

  private Supplier<Finding> finding(String name, Check check) {
    return TrialChecks.finding(FederationVerification.TYPE, trial.name(), name, check);
  }

  private List<Ending<FederationResult>> run(
      int ranks, double timeout, Optional<Path> file, boolean resume, Conditions conditions) {
    return new TrialGroup(plan.backend(), ranks, timeout, plan.limit())
        .run(
            conditions,
            group -> trial.run(group, resume, conditions.stopsAfter(group.rank()), file));
  }

  private String quiet(int ranks) throws Wrong {
    return hash(run(ranks, TIMEOUT_SECONDS, Optional.empty(), false, Conditions.QUIET));
  }

  private static Conditions stoppedAfter(int round) {
    return new Conditions() {
      @Override
      public Disturbance of(int rank) {
        return Disturbance.NONE;
      }

      @Override
      public long stopsAfter(int rank) {
        return rank == 0 ? round : Long.MAX_VALUE;
      }
    };
  }

  private String anyRanks() throws Wrong {
    String alone = quiet(1);
    for (int ranks = 2; ranks <= plan.ranks(); ranks++) {
      same(alone, quiet(ranks), ranks + " ranks");
    }
    return "1 to " + plan.ranks() + " ranks";
  }

  private String schedules() throws Wrong {
    String expected = quiet(plan.ranks());
    for (int i = 0; i < plan.schedules(); i++) {
      long seed = plan.seed() + i;
      Conditions delays = rank -> Disturbance.delays(seed * plan.ranks() + rank);
      String hash = hash(run(plan.ranks(), TIMEOUT_SECONDS, Optional.empty(), false, delays));
      same(expected, hash, "--seed " + seed + " --schedules 1");
    }
    return plan.schedules() + " schedules";
  }

  private String resumeOn(int ranks) throws Wrong {
    String expected = quiet(1);
    Optional<Path> file = Optional.of(folder.resolve("stopped-" + ranks));
    int round = 1 + new Random(plan.seed()).nextInt(FederationTrial.ROUNDS - 1);
    List<Ending<FederationResult>> stopped =
        run(plan.ranks(), TIMEOUT_SECONDS, file, false, stoppedAfter(round));
    TrialChecks.checkEnded(plan, stopped);
    FederationResult result = stopped.get(0).result();
    if (result == null || !result.stopped() || result.rounds() != round) {
      throw new Wrong("rank 0 asked for a stop after round " + round + " in vain");
    }
    same(
        expected,
        hash(run(ranks, TIMEOUT_SECONDS, file, true, Conditions.QUIET)),
        "the resumed run");
    return "after round " + round + ": same bytes";
  }

  /** Each fault in a run of its own, which then goes on with all ranks. */
  private String faults(boolean silent) throws Wrong {
    // With checkpoints, so that it has as many operations.
    Optional<Path> whole = Optional.of(folder.resolve("whole"));
    List<Ending<FederationResult>> undisturbed =
        run(plan.ranks(), TIMEOUT_SECONDS, whole, false, Conditions.QUIET);
    String expected = hash(undisturbed);
    Random random = new Random(plan.seed());
    for (int i = 0; i < plan.faults(); i++) {
      int rank = random.nextInt(plan.ranks());
      // After the first round, so that there is a checkpoint, and before the last operations.
      long all = undisturbed.get(rank).operations();
      long at = (long) (all * (0.5 + 0.3 * random.nextDouble()));
      Optional<Path> file = Optional.of(folder.resolve((silent ? "silent-" : "killed-") + i));
      String which = "rank " + rank + " at operation " + at;
      try {
        TrialChecks.checkTold(plan, fault(file, rank, at, silent), rank);
      } catch (Wrong e) {
        throw new Wrong(which + ": " + e.getMessage());
      }
      same(expected, hash(run(plan.ranks(), TIMEOUT_SECONDS, file, true, Conditions.QUIET)), which);
    }
    return plan.faults() + (plan.faults() == 1 ? " run, resumed" : " runs, each resumed");
  }

  private List<Ending<FederationResult>> fault(
      Optional<Path> file, int gone, long at, boolean silent) {
    double timeout = silent ? SILENCE_TIMEOUT_SECONDS : TIMEOUT_SECONDS;
    Conditions conditions = TrialChecks.fault(plan, gone, at, silent);
    return run(plan.ranks(), timeout, file, false, conditions);
  }

  private String hash(List<Ending<FederationResult>> endings) throws Wrong {
    TrialChecks.checkEnded(plan, endings);
    List<String> hashes =
        endings.stream()
            .flatMap(ending -> Optional.ofNullable(ending.result()).stream())
            .map(FederationResult::modelSha256)
            .distinct()
            .toList();
    if (hashes.size() != 1) {
      throw new Wrong("ranks end with different models: " + hashes);
    }
    return hashes.get(0);
  }

  private static void same(String expected, String actual, String what) throws Wrong {
    if (!expected.equals(actual)) {
      throw new Wrong("other bytes of the model: " + what);
    }
  }

  private String overNetwork() throws Wrong {
    String expected = quiet(1);
    byte[] token = UUID.randomUUID().toString().getBytes(StandardCharsets.UTF_8);
    FederationTrial networked = trial.at("127.0.0.1:" + freePort());
    ExecutorService threads = Executors.newCachedThreadPool(FederationChecks::daemon);
    try {
      List<Callable<Boolean>> clients = new ArrayList<>();
      Future<FederationResult> server = threads.submit(() -> networked.serve(token));
      for (int client = 0; client < FederationTrial.CLIENTS; client++) {
        int number = client;
        clients.add(() -> networked.join(number, token));
      }
      clients.forEach(threads::submit);
      FederationResult result = server.get(plan.limit().toMillis(), TimeUnit.MILLISECONDS);
      same(expected, result.modelSha256(), "a server and " + clients.size() + " clients");
      return "server and " + clients.size() + " clients";
    } catch (ExecutionException e) {
      throw new Wrong("the server ends with " + e.getCause());
    } catch (TimeoutException e) {
      throw new Wrong("the server still runs after " + plan.limit().toSeconds() + " s");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Wrong("interrupted");
    } finally {
      threads.shutdownNow();
    }
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "verify-federation");
    thread.setDaemon(true);
    return thread;
  }

  private static int freePort() throws Wrong {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    } catch (IOException e) {
      throw new Wrong("no port is free: " + e.getMessage());
    }
  }
}
