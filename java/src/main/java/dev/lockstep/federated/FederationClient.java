package dev.lockstep.federated;

import static java.util.Objects.requireNonNull;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.federated.network.Frame;
import dev.lockstep.federated.network.RefusedException;
import dev.lockstep.federated.network.ServerConnection;
import dev.lockstep.federated.privacy.SecureAggregationException;
import dev.lockstep.model.Model;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.ModelBuilder;
import dev.lockstep.train.ModelFile;
import dev.lockstep.train.TorchSettings;
import dev.lockstep.train.TorchThreads;
import dev.lockstep.train.TrainingConfig.LossType;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client of a federation, with data of its own that stays here: it trains when the server asks,
 * and sends what became of the model. If the server goes away, or the connection does, it comes
 * back for as long as {@code network.patience} says. One thread calls {@link #run}; any may {@link
 * #close}.
 */
public final class FederationClient implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FederationClient.class);
  private static final Duration HANDSHAKE = Duration.ofSeconds(60);
  private static final long FIRST_PAUSE_MILLIS = 100;
  private static final long LONGEST_PAUSE_MILLIS = 5000;

  private final FederationPlan plan;
  private final NetworkConfig network;
  private final int number;
  private final Dataset dataset;
  private final long[] samples;
  private final byte[] token;
  private Optional<SecureEncoding> encoding = Optional.empty();
  private @Nullable SealedUpdate sealed;

  /** Kept from one connection to the next. */
  private final Map<Integer, float[]> own = new HashMap<>();

  /** The newest round, and this client's own layers before it; null for none. */
  private int newestRound = -1;

  private float @Nullable [] ownBefore;

  private Optional<PersonalLayers> personal = Optional.empty();
  private volatile boolean closed;
  private volatile @Nullable ServerConnection connection;

  /**
   * What a client did in a round.
   *
   * @param round from 1
   * @param samples that it has
   * @param loss mean over the samples of its steps
   */
  public record Trained(int round, int samples, double loss) {}

  /**
   * Names the parts; owns none of them.
   *
   * @param plan the same as the server's, with {@code federation.network}
   * @param number which client this is, from 0; the same each time it comes
   * @param dataset its own
   * @param samples of them to train on
   * @param token the server's, at least {@value Federation#SHORTEST_TOKEN} bytes
   * @throws ConfigKeyException without a network, or with a token that is too short
   */
  public FederationClient(
      FederationPlan plan, int number, Dataset dataset, long[] samples, byte[] token) {
    this.plan = requireNonNull(plan, "plan");
    this.dataset = requireNonNull(dataset, "dataset");
    this.samples = requireNonNull(samples, "samples").clone();
    this.token = Federation.checkedToken(token);
    this.number = number;
    network = plan.network();
  }

  /**
   * Takes part until the federation ends.
   *
   * @param listener hears of each round that this client has trained
   * @param modelFile where the final model is written; empty to write none
   * @return whether it has ended; false if {@link #close} ended this client's part
   * @throws CommunicationException if the server refuses this client, or is away for too long
   */
  public boolean run(Consumer<Trained> listener, Optional<Path> modelFile) {
    requireNonNull(listener, "listener");
    requireNonNull(modelFile, "modelFile");
    TorchLibraries.load();
    try (TorchSettings settings = TorchSettings.keep();
        Communicator alone = Communicator.single()) {
      TorchThreads.configure(plan.threads(), alone);
      return stay(listener, modelFile);
    }
  }

  private boolean stay(Consumer<Trained> listener, Optional<Path> modelFile) {
    long lastSeen = System.nanoTime();
    long pause = FIRST_PAUSE_MILLIS;
    while (!closed) {
      try (ServerConnection joined = join()) {
        connection = joined;
        if (closed) {
          return false;
        }
        log.info("Client {} has joined the federation at {}.", number, network.address());
        pause = FIRST_PAUSE_MILLIS;
        serve(joined, listener, modelFile);
        return true;
      } catch (RefusedException e) {
        throw failed("refuses client " + number + ": " + e.getMessage(), e);
      } catch (IOException e) {
        if (closed) {
          return false;
        }
        if (connection != null) {
          log.warn("Client {} lost the server: {}; it tries again.", number, e.getMessage());
          lastSeen = System.nanoTime();
          connection = null;
        } else if (System.nanoTime() - lastSeen > network.patienceOfClient().toNanos()) {
          throw failed(
              "is away for more than " + network.patience() + " s (" + e.getMessage() + ")", e);
        }
        sleep(pause);
        pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
      }
    }
    return false;
  }

  private CommunicationException failed(String what, IOException cause) {
    return new CommunicationException(
        "The federation's server at " + network.address() + " " + what + ".",
        CommunicationException.NO_RANK,
        cause);
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommunicationException(
          "The client was interrupted.", CommunicationException.NO_RANK, e);
    }
  }

  private ServerConnection join() throws IOException {
    byte[] hello = Protocol.Hello.of(plan, dataset, samples.length).write();
    return ServerConnection.join(network.socketAddress(), token, number, hello, HANDSHAKE);
  }

  /** Does what the server asks until it ends the federation. */
  private void serve(ServerConnection server, Consumer<Trained> listener, Optional<Path> modelFile)
      throws IOException {
    Protocol.Welcome welcome = Protocol.Welcome.read(server.welcome());
    Normalizer.Pair normalizers = welcome.normalizers();
    LossType loss = plan.federation().loss();
    int outputs =
        loss == LossType.CROSS_ENTROPY ? welcome.classes() : (int) dataset.targetShape()[0];
    try (Model model = ModelBuilder.build(plan.model(), dataset, outputs, plan.seed());
        ClientTrainer trainer =
            new ClientTrainer(
                plan.federation(), plan.optimizer(), model, dataset, normalizers, plan.seed())) {
      Protocol protocol = new Protocol(trainer.vector());
      FederationConfig config = plan.federation();
      encoding = SecureEncoding.of(config, config.clients(), trainer.vector().length());
      personal = PersonalLayers.of(config.personal(), trainer.vector(), own);
      sealed = null;
      for (; ; ) {
        Frame message = server.receive(protocol.mostBytes());
        ByteBuffer body = message.body();
        switch (message.kind()) {
          case Protocol.WORK -> train(server, protocol, trainer, body, listener);
          case Protocol.SEALED -> answerSealed(server, body);
          case Protocol.ASK_LOSS -> tellLoss(server, protocol, trainer, body);
          case Protocol.END -> {
            trainer.vector().write(withOwn(protocol.readLast(body)));
            modelFile.ifPresent(
                file ->
                    ModelFile.save(
                        model, normalizers, loss == LossType.CROSS_ENTROPY, dataset, file));
            return;
          }
          default -> throw new ProtocolException("a message of kind " + message.kind() + " came");
        }
      }
    }
  }

  private void train(
      ServerConnection server,
      Protocol protocol,
      ClientTrainer trainer,
      ByteBuffer body,
      Consumer<Trained> listener)
      throws IOException {
    int round = body.getInt();
    beginRound(round);
    long seed = body.getLong();
    int form = body.get();
    SecureEncoding.Terms terms =
        form == Protocol.ON_TERMS
            ? new SecureEncoding.Terms(body.getLong(), body.getLong(), body.getDouble())
            : null;
    double[] base = protocol.read(body, trainer.vector().length());
    double[] correction =
        form == Protocol.CORRECTED ? protocol.read(body, trainer.vector().parameters()) : null;
    ClientUpdate update;
    try {
      if (encoding.isPresent() != (terms != null)) {
        throw new IllegalStateException("secure aggregation is not as this client has it");
      }
      ClientUpdate trained = trainer.train(dataset, samples, withOwn(base), correction, seed);
      update = personal.map(p -> p.keep(number, trained, trainer.vector()::read)).orElse(trained);
      update = terms == null ? update : seal(terms, round, update);
    } catch (RuntimeException e) {
      unable(server, round, e);
      throw e;
    }
    ByteBuffer head =
        ByteBuffer.allocate(Integer.BYTES + Double.BYTES + 1)
            .putInt(round)
            .putDouble(update.loss())
            .put((byte) (update.finite() ? 1 : 0))
            .flip();
    double[] end = trainer.vector().read();
    personal.ifPresent(layers -> layers.without(end, base));
    ByteBuffer model = terms == null ? protocol.write(end) : ByteBuffer.allocate(0);
    server.send(Protocol.TRAINED, head, model);
    listener.accept(new Trained(round + 1, update.samples(), update.loss()));
  }

  /** A round that is asked for again begins with the layers with which it began before. */
  private void beginRound(int round) {
    if (round != newestRound) {
      newestRound = round;
      ownBefore = own.get(number);
    } else if (ownBefore == null) {
      own.remove(number);
    } else {
      own.put(number, ownBefore);
    }
  }

  private double[] withOwn(double[] model) {
    return personal.map(layers -> layers.of(number, model)).orElse(model);
  }

  /** Keeps the change, if it is one that can be added up. */
  private ClientUpdate seal(SecureEncoding.Terms terms, int round, ClientUpdate update) {
    sealed = null;
    if (!update.finite()) {
      return update;
    }
    try {
      sealed = new SealedUpdate(encoding.orElseThrow(), terms, round, update.change());
      return update;
    } catch (SecureAggregationException e) {
      log.warn("Round {}: {}", round + 1, e.getMessage());
      return update.withoutChange(false);
    }
  }

  /** A stage of secure aggregation. */
  private void answerSealed(ServerConnection server, ByteBuffer body) throws IOException {
    int round = body.getInt();
    byte[] message = new byte[body.remaining()];
    body.get(message);
    SealedUpdate update = sealed;
    try {
      if (update == null || update.round() != round) {
        throw new IllegalStateException("this client has no change of that round");
      }
      ByteBuffer head = ByteBuffer.allocate(Integer.BYTES).putInt(round).flip();
      server.send(Protocol.SEALED, head, ByteBuffer.wrap(update.answer(message)));
    } catch (SecureAggregationException | IllegalArgumentException | IllegalStateException e) {
      // The round may go on without this client; the next one is another matter.
      log.warn("Round {}: {}", round + 1, e.getMessage());
      unable(server, round, e);
    }
  }

  /** So that nobody waits for an answer that does not come. */
  private static void unable(ServerConnection server, int round, RuntimeException why)
      throws IOException {
    ByteBuffer head = ByteBuffer.allocate(Integer.BYTES).putInt(round).flip();
    byte[] text = String.valueOf(why.getMessage()).getBytes(StandardCharsets.UTF_8);
    ByteBuffer reason = ByteBuffer.wrap(text, 0, Math.min(text.length, Protocol.SLACK / 2));
    server.send(Protocol.UNABLE, head, reason);
  }

  private void tellLoss(
      ServerConnection server, Protocol protocol, ClientTrainer trainer, ByteBuffer body)
      throws IOException {
    int round = body.getInt();
    beginRound(round);
    double loss = trainer.loss(dataset, samples, withOwn(protocol.readLast(body)));
    ByteBuffer answer =
        ByteBuffer.allocate(Integer.BYTES + Double.BYTES).putInt(round).putDouble(loss).flip();
    server.send(Protocol.LOSS, answer);
  }

  /** Leaves the federation; {@link #run} returns soon. */
  @Override
  public void close() {
    closed = true;
    ServerConnection present = connection;
    if (present != null) {
      present.close();
    }
  }
}
