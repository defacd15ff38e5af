package dev.lockstep.federated;

import static java.util.Objects.requireNonNull;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.RankContext;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.Split;
import dev.lockstep.federated.client.ClientTrainer;
import dev.lockstep.federated.client.ParameterVector;
import dev.lockstep.federated.client.PersonalLayers;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.federated.network.ClientToken;
import dev.lockstep.federated.population.Partition;
import dev.lockstep.federated.privacy.NoiseKey;
import dev.lockstep.model.Model;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.ClassCount;
import dev.lockstep.train.ModelBuilder;
import dev.lockstep.train.ModelFile;
import dev.lockstep.train.TorchSettings;
import dev.lockstep.train.TorchThreads;
import dev.lockstep.train.TrainingConfig.LossType;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Runs a federation: simulated, or as the server of clients that are other processes.
 *
 * <p>Simulated clients are trained on the ranks at hand, each with its own part of the data. Every
 * rank of the communicator makes one with the same arguments and calls {@link #run}. The final
 * model has the same bytes on any number of ranks with the same processors: clients' changes are
 * added up in fixed point, and everything that is drawn follows from the seed, the round and the
 * client.
 *
 * <p>Over a network rounds are the same. If all clients that are asked answer, if they have the
 * samples that the simulated ones would have, and without noise for privacy, which is drawn in
 * secret, then the model has the same bytes, too. One thread.
 */
public final class Federation {
  /** Bytes of the shortest token. */
  public static final int SHORTEST_TOKEN = 16;

  private final FederationPlan plan;
  private final Dataset dataset;
  private final Split split;
  private final Communicator communicator;
  private final FederationListener listener;
  private final Optional<Path> checkpoint;
  private final byte @Nullable [] token;

  /**
   * Names the parts of a simulation; owns none of them.
   *
   * @param split the training samples are those of the clients, the others score the server's model
   * @param checkpoint where rank 0 writes checkpoints; empty for none
   */
  public Federation(
      FederationPlan plan,
      Dataset dataset,
      Split split,
      Communicator communicator,
      FederationListener listener,
      Optional<Path> checkpoint) {
    this(
        requireNonNull(plan, "plan"),
        requireNonNull(dataset, "dataset"),
        requireNonNull(split, "split"),
        requireNonNull(communicator, "communicator"),
        requireNonNull(listener, "listener"),
        requireNonNull(checkpoint, "checkpoint"),
        null);
  }

  private Federation(
      FederationPlan plan,
      Dataset dataset,
      Split split,
      Communicator communicator,
      FederationListener listener,
      Optional<Path> checkpoint,
      byte @Nullable [] token) {
    this.plan = plan;
    this.dataset = dataset;
    this.split = split;
    this.communicator = communicator;
    this.listener = listener;
    this.checkpoint = checkpoint;
    this.token = token;
  }

  /**
   * The same as a server that waits for clients at {@code federation.network.address}. The training
   * samples only give the normalisation; the held-out ones score the model.
   *
   * @param secret from which clients' tokens follow, at least {@value #SHORTEST_TOKEN} bytes
   * @throws dev.lockstep.ConfigKeyException for a plan that cannot run over a network
   * @throws IllegalArgumentException for more than one rank, or a token that is too short
   */
  public Federation overNetwork(byte[] secret) {
    if (communicator.size() > 1) {
      throw new IllegalArgumentException("the server is one process, not " + communicator.size());
    }
    plan.network();
    return new Federation(
        plan, dataset, split, communicator, listener, checkpoint, checkedToken(secret));
  }

  /**
   * What a client must know to take part as that client. Whoever has it can neither be another
   * client nor the server.
   *
   * @param secret the server's
   * @param client its number
   * @return ASCII, to be given to that client alone
   */
  public static byte[] clientToken(byte[] secret, int client) {
    return ClientToken.of(checkedToken(secret), client);
  }

  static byte[] checkedToken(byte[] token) {
    if (requireNonNull(token, "token").length < SHORTEST_TOKEN) {
      throw new IllegalArgumentException(
          "the token must have at least " + SHORTEST_TOKEN + " bytes, not " + token.length);
    }
    return token.clone();
  }

  /**
   * Runs all rounds; collective.
   *
   * @param resume whether to go on from the checkpoint
   * @param modelFile where rank 0 writes the final model; empty to write none
   * @throws dev.lockstep.ConfigKeyException if the data does not allow what the plan asks for
   * @throws dev.lockstep.checkpoint.CheckpointException if a checkpoint cannot be written or used
   * @throws dev.lockstep.comm.CommunicationException if a rank fails
   */
  public FederationResult run(boolean resume, Optional<Path> modelFile) {
    try (MDC.MDCCloseable ignored = RankContext.enter(communicator.rank())) {
      TorchLibraries.load();
      try (TorchSettings settings = TorchSettings.keep()) {
        TorchThreads.configure(plan.threads(), communicator);
        return runAsRank(resume, modelFile);
      }
    }
  }

  private FederationResult runAsRank(boolean resume, Optional<Path> modelFile) {
    FederationConfig config = plan.federation();
    boolean classifies = config.loss() == LossType.CROSS_ENTROPY;
    if (classifies && dataset.cells() > 1) {
      throw new ConfigKeyException(
          "federation.loss",
          "is cross_entropy, which is for samples of one class each here, but a sample has "
              + dataset.cells()
              + " cells (data.samples); use mse, mae or huber.");
    }
    int classes = classifies ? ClassCount.of(dataset, communicator) : 0;
    int outputs = classifies ? classes : (int) dataset.targetShape()[0];
    try (Model model = ModelBuilder.build(plan.model(), dataset, outputs, plan.seed());
        Communicator alone = Communicator.single()) {
      Normalizer.Pair normalizers = ClientTrainer.normalizers(plan, dataset, split.train(), alone);
      try (ClientTrainer trainer = new ClientTrainer(plan, model, dataset, normalizers)) {
        FederationResult result = runRounds(trainer, normalizers, classes, resume);
        if (modelFile.isPresent() && communicator.rank() == 0 && !result.stopped()) {
          ModelFile.save(model, normalizers, classifies, dataset, modelFile.get());
        }
        return result;
      }
    }
  }

  private FederationResult runRounds(
      ClientTrainer trainer, Normalizer.Pair normalizers, int classes, boolean resume) {
    ParameterVector vector = trainer.vector();
    ServerScores scores =
        new ServerScores(plan, dataset, split, classes, communicator, trainer, normalizers);
    ServerState state =
        new ServerState(plan.federation(), vector.read(), vector.parameters(), noiseKey());
    FederationResult result;
    if (token == null) {
      Partition partition = partition();
      Clients clients =
          new SimulatedClients(plan, dataset, partition, classes, communicator, trainer, state);
      Rounds rounds = new Rounds(plan, clients, communicator, vector, scores, state);
      Optional<int[][]> counts =
          classes > 0 ? Optional.of(partition.classCounts(dataset, classes)) : Optional.empty();
      result = runRounds(rounds, clients, counts, resume);
    } else {
      // Clients would end at a name that no tensor has; better that nobody waits for them.
      PersonalLayers.of(plan.federation().personal(), vector, Map.of());
      Protocol protocol = new Protocol(vector);
      byte[] welcome = Welcome.of(classes, normalizers).write();
      try (ClientSessions sessions =
          new ClientSessions(
              plan, dataset, token, protocol.mostBytes(), welcome, listener::stopRequested)) {
        Clients clients = new RemoteClients(plan, protocol, sessions);
        if (resume) {
          sessions.expectAll();
        }
        Rounds rounds = new Rounds(plan, clients, communicator, vector, scores, state);
        result = runRounds(rounds, clients, Optional.empty(), resume);
      }
    }
    vector.write(state.model);
    return result;
  }

  private Partition partition() {
    return Partition.of(
        plan.federation().partition(),
        plan.federation().clients(),
        dataset,
        split.train(),
        plan.federation().loss() == LossType.CROSS_ENTROPY,
        plan.seed());
  }

  /** A simulation can be repeated and protects nobody; real clients are owed a secret. */
  private NoiseKey noiseKey() {
    return token == null
        ? NoiseKey.fromPublicSeed(plan.seed())
        : NoiseKey.random(new SecureRandom());
  }

  private FederationResult runRounds(
      Rounds rounds, Clients clients, Optional<int[][]> classCounts, boolean resume) {
    FederationConfig config = plan.federation();
    Optional<FederationCheckpoint> file =
        checkpoint.map(path -> new FederationCheckpoint(path, identity(), communicator));
    if (resume) {
      rounds.restore(
          file.orElseThrow(() -> new IllegalArgumentException("no checkpoint to resume from")));
    }
    boolean stop = false;
    RoundReport last = null;
    if (token != null) {
      file.ifPresent(saved -> saved.write(rounds.state(), clients.count()));
    }
    while (rounds.state().rounds < config.rounds() && !stop) {
      Optional<RoundReport> report = rounds.next();
      if (report.isEmpty()) {
        break;
      }
      last = report.get();
      if (token != null) {
        // What clients have sent cannot be had again, and no round may be released twice.
        file.ifPresent(saved -> saved.write(rounds.state(), clients.count()));
      }
      listener.round(last);
      stop = anyWantsToStop();
      boolean due =
          stop
              || config.checkpointEvery() > 0
                  && rounds.state().rounds % config.checkpointEvery() == 0;
      if (token == null && due && rounds.state().rounds < config.rounds()) {
        file.ifPresent(saved -> saved.write(rounds.state(), clients.count()));
      }
    }
    boolean stopped = rounds.state().rounds < config.rounds();
    if (!stopped) {
      clients.finish(rounds.state().model);
    }
    return new FederationResult(
        stopped,
        rounds.state().rounds,
        Optional.ofNullable(last),
        rounds.state().sha256(),
        IntStream.range(0, clients.count()).map(clients::samples).boxed().toList(),
        classCounts,
        rounds.privacySpent(),
        stopped ? Optional.empty() : rounds.audit());
  }

  private boolean anyWantsToStop() {
    int[] wish = {listener.stopRequested() ? 1 : 0};
    return communicator.allReduce(wish, ReduceOp.MAX)[0] != 0;
  }

  /** Everything on which the results depend; the number of ranks is not among it. */
  private String identity() {
    return (token == null ? "simulated " : "over a network ")
        + plan.threads()
        + plan.identity()
        + dataset.description()
        + " "
        + dataset.featureNames()
        + dataset.targetNames()
        + split.train().length;
  }
}
