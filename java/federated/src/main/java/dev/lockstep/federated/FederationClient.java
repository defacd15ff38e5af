package dev.lockstep.federated;

import static java.util.Objects.requireNonNull;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.client.ClientTrainer;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.federated.config.NetworkConfig;
import dev.lockstep.federated.network.RefusedException;
import dev.lockstep.federated.network.ServerConnection;
import dev.lockstep.federated.network.UnprovedRefusalException;
import dev.lockstep.model.Model;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.ModelBuilder;
import dev.lockstep.train.ModelFile;
import dev.lockstep.train.TorchSettings;
import dev.lockstep.train.TorchThreads;
import dev.lockstep.train.TrainingConfig.LossType;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client of a federation, with data of its own that stays here: it trains when the server asks,
 * and sends what became of the model. If the server goes away or says nothing, or the connection
 * ends, it comes back for as long as {@code network.patience} says; also if it is refused by
 * whoever does not prove to be the server. One thread calls {@link #run}; any may {@link #close}.
 */
public final class FederationClient implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FederationClient.class);
  private static final Duration HANDSHAKE = Duration.ofSeconds(60);
  private static final Duration SHORTEST_WAIT = Duration.ofSeconds(1);

  /** Three times the server could have said that it is there. */
  private static final Duration SHORTEST_SILENCE = Duration.ofSeconds(30);

  private static final long FIRST_PAUSE_MILLIS = 100;

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);

  /** Between two attempts to reach the server. */
  static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  private final FederationPlan plan;
  private final NetworkConfig network;
  private final int number;
  private final Dataset dataset;
  private final long[] samples;
  private final byte[] token;
  private final OwnLayers own = new OwnLayers();
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
   * @param token this client's, as {@link Federation#clientToken} made it of the server's secret
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
   * @throws CommunicationException if the server refuses this client, says what it does not
   *     understand, or is away for too long
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
    String unproved = "";
    while (!closed) {
      try (ServerConnection joined = join(lastSeen)) {
        connection = joined;
        if (closed) {
          return false;
        }
        log.info("Client {} has joined the federation at {}.", number, network.address());
        pause = FIRST_PAUSE_MILLIS;
        unproved = "";
        serve(joined, listener, modelFile);
        return true;
      } catch (RefusedException e) {
        throw failed("refuses client " + number + ": " + e.getMessage(), e);
      } catch (IOException e) {
        if (closed) {
          return false;
        }
        if (connection != null && e instanceof ProtocolException) {
          // By its seal it is the server's, which would say so again.
          throw failed("says what client " + number + " does not understand: " + e.getMessage(), e);
        } else if (connection != null) {
          log.warn("Client {} lost the server: {}; it tries again.", number, e.getMessage());
          lastSeen = System.nanoTime();
          connection = null;
        } else if (patienceLeft(lastSeen).isNegative()) {
          throw failed(whyGivenUp(e), e);
        }
        if (e instanceof UnprovedRefusalException && !unproved.equals(e.getMessage())) {
          unproved = String.valueOf(e.getMessage());
          tellOfRefusal(unproved, patienceLeft(lastSeen));
        }
        sleep(pause);
        pause = Math.min(2 * pause, LONGEST_PAUSE.toMillis());
      }
    }
    return false;
  }

  /** At once, because a token or an address that was mistyped stays so for all of the patience. */
  private void tellOfRefusal(String why, Duration left) {
    log.warn(
        "Client {} is refused at {}: {}. Whoever says so has not proved to be the server, so the"
            + " client tries again until {} ({} s, as network.patience says); if its token or the"
            + " address is wrong, end it and give the right one.",
        number,
        network.address(),
        why,
        TIME.format(LocalDateTime.now().plus(left)),
        network.patience());
  }

  private String whyGivenUp(IOException last) {
    return last instanceof UnprovedRefusalException
        ? "refuses client " + number + " for " + network.patience() + " s: " + last.getMessage()
        : "is away for more than " + network.patience() + " s (" + last.getMessage() + ")";
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

  /** Waits for no longer than this client has patience, but for a moment at least. */
  private ServerConnection join(long lastSeen) throws IOException {
    byte[] hello = Hello.of(plan, dataset, samples.length).write();
    Duration left = patienceLeft(lastSeen);
    Duration timeout = longer(SHORTEST_WAIT, left.compareTo(HANDSHAKE) < 0 ? left : HANDSHAKE);
    Duration silence = longer(SHORTEST_SILENCE, network.patienceOfClient());
    return ServerConnection.join(network.socketAddress(), token, number, hello, timeout, silence);
  }

  /** Negative when it is over. */
  private Duration patienceLeft(long lastSeen) {
    return network.patienceOfClient().minusNanos(System.nanoTime() - lastSeen);
  }

  private static Duration longer(Duration a, Duration b) {
    return a.compareTo(b) > 0 ? a : b;
  }

  private void serve(ServerConnection server, Consumer<Trained> listener, Optional<Path> modelFile)
      throws IOException {
    Welcome welcome = Welcome.read(server.welcome());
    boolean classifies = plan.federation().loss() == LossType.CROSS_ENTROPY;
    int outputs = classifies ? welcome.classes() : (int) dataset.targetShape()[0];
    try (Model model = ModelBuilder.build(plan.model(), dataset, outputs, plan.seed());
        ClientTrainer trainer = new ClientTrainer(plan, model, dataset, welcome.normalizers());
        ClientResponder responder =
            new ClientResponder(
                plan.federation(), number, dataset, samples, server, trainer, own)) {
      responder.serve(listener);
      modelFile.ifPresent(
          file -> ModelFile.save(model, welcome.normalizers(), classifies, dataset, file));
    }
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
