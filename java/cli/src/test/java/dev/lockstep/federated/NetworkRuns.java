package dev.lockstep.federated;

import static java.util.concurrent.TimeUnit.SECONDS;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.lockstep.comm.Communicator;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.network.ServerConnection;
import dev.lockstep.federated.population.Partition;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.slf4j.LoggerFactory;

/** A server and its clients as threads of this process, which talk over loopback. */
final class NetworkRuns implements AutoCloseable {
  static final byte[] TOKEN = "a secret of the tests".getBytes(StandardCharsets.UTF_8);
  private static final long LIMIT_SECONDS = 200;

  private final FederationRuns runs;
  private final Path folder;
  private final String[] overrides;
  private final int port;
  private View view = (client, data) -> data;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "federation");
            thread.setDaemon(true);
            return thread;
          });
  private final List<Future<Boolean>> clients = new ArrayList<>();
  private final List<FederationClient> present = Collections.synchronizedList(new ArrayList<>());
  private final Lines log = new Lines();
  private final Logger root = (Logger) LoggerFactory.getLogger("dev.lockstep.federated");

  /** The log's lines, for which one may wait. */
  private static final class Lines extends AppenderBase<ILoggingEvent> {
    private final List<String> all = new ArrayList<>();

    @Override
    protected void append(ILoggingEvent event) {
      synchronized (all) {
        all.add(event.getFormattedMessage());
        all.notifyAll();
      }
    }

    long count(String text) {
      synchronized (all) {
        return all.stream().filter(line -> line.contains(text)).count();
      }
    }

    void await(String text, long count) throws InterruptedException {
      long end = System.nanoTime() + SECONDS.toNanos(LIMIT_SECONDS);
      long found = 0;
      synchronized (all) {
        for (int next = 0; found < count; next++) {
          while (next == all.size()) {
            long left = (end - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
              throw new AssertionError(found + " of " + count + " lines have: " + text);
            }
            all.wait(left);
          }
          found += all.get(next).contains(text) ? 1 : 0;
        }
      }
    }
  }

  NetworkRuns(FederationRuns runs, Path folder, String... overrides) throws Exception {
    this.runs = runs;
    this.folder = folder;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    this.overrides = Arrays.copyOf(overrides, overrides.length + 1);
    this.overrides[overrides.length] = "federation.network.address=127.0.0.1:" + port;
    log.start();
    root.addAppender(log);
  }

  FederateConfig config() {
    return runs.config(overrides);
  }

  InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  /** Of a test with thousands of lines. */
  void keepOffTheConsole() {
    root.setAdditive(false);
  }

  /** Does something beside. */
  <T> Future<T> submit(Callable<T> work) {
    return threads.submit(work);
  }

  /** The lines that hold a text. */
  long logged(String text) {
    return log.count(text);
  }

  /** Waits until so many lines hold a text. */
  void awaitLogged(String text, long count) throws InterruptedException {
    log.await(text, count);
  }

  /** Starts the server. */
  Future<Run> serve(boolean resume, FederationListener listener) {
    FederateConfig config = config();
    return threads.submit(
        () -> {
          List<RoundReport> rounds = Collections.synchronizedList(new ArrayList<>());
          FederationListener both =
              new FederationListener() {
                @Override
                public void round(RoundReport report) {
                  rounds.add(report);
                  listener.round(report);
                }

                @Override
                public boolean stopRequested() {
                  return listener.stopRequested();
                }
              };
          try (Dataset dataset = DataFiles.open(config.data());
              Communicator alone = Communicator.single()) {
            Federation simulated =
                new Federation(
                    config.plan(),
                    dataset,
                    dataset.split(config.data()),
                    alone,
                    both,
                    Optional.of(folder.resolve("server.bin")));
            FederationResult result =
                simulated.overNetwork(TOKEN).run(resume, Optional.of(folder.resolve("server.pt")));
            return new Run(result, rounds);
          }
        });
  }

  /** The data as a client sees it; closed by it. */
  interface View {
    Dataset of(int client, Dataset data);
  }

  /** Has clients that join from now on see their data so. */
  void through(View other) {
    view = other;
  }

  /** Starts clients with the samples that the simulated ones of these numbers have. */
  void join(int... numbers) {
    FederateConfig config = config();
    for (int number : numbers) {
      clients.add(
          threads.submit(
              () -> {
                try (Dataset dataset = view.of(number, DataFiles.open(config.data()));
                    FederationClient client =
                        new FederationClient(
                            config.plan(),
                            number,
                            dataset,
                            samples(dataset, number),
                            Federation.clientToken(TOKEN, number))) {
                  present.add(client);
                  return client.run(
                      trained -> {}, Optional.of(folder.resolve("client-" + number + ".pt")));
                }
              }));
    }
  }

  long[] samples(Dataset dataset, int client) {
    FederateConfig config = config();
    return Partition.of(
            config.federation().partition(),
            config.federation().clients(),
            dataset,
            dataset.split(config.data()).train(),
            true,
            config.seed())
        .samples(client);
  }

  /**
   * A connection that says it is a client and does what the test does with it; as soon as the
   * server listens.
   */
  ServerConnection joinByHand(int client) throws Exception {
    try (Dataset dataset = DataFiles.open(config().data())) {
      return joinByHand(client, samples(dataset, client).length);
    }
  }

  /** The same with any number of samples. */
  ServerConnection joinByHand(int client, int samples) throws Exception {
    FederateConfig config = config();
    try (Dataset dataset = DataFiles.open(config.data())) {
      byte[] hello = Hello.of(config.plan(), dataset, samples).write();
      byte[] token = Federation.clientToken(TOKEN, client);
      Duration limit = Duration.ofSeconds(LIMIT_SECONDS);
      return whenItListens(
          () -> ServerConnection.join(address(), token, client, hello, limit, limit));
    }
  }

  /** Waits until the server listens. */
  void awaitServer() throws Exception {
    whenItListens(() -> new Socket(address().getAddress(), port)).close();
  }

  private static <T> T whenItListens(Callable<T> connects) throws Exception {
    long end = System.nanoTime() + SECONDS.toNanos(LIMIT_SECONDS);
    for (; ; ) {
      try {
        return connects.call();
      } catch (ConnectException e) {
        if (System.nanoTime() > end) {
          throw e;
        }
        Thread.sleep(20);
      }
    }
  }

  /** Takes what the server says until the federation's end, and says that it knows of it. */
  static void stayToTheEnd(ServerConnection connection) throws IOException {
    while (connection.receive(ClientMessages.MOST_BYTES).kind() != Protocol.END) {
      // Of a client that does nothing else.
    }
    connection.send(Protocol.ENDED);
  }

  /** Waits for the server's end, and then for that of its clients. */
  Run end(Future<Run> server) throws Exception {
    Run run = server.get(LIMIT_SECONDS, SECONDS);
    for (Future<Boolean> client : clients) {
      client.get(LIMIT_SECONDS, SECONDS);
    }
    return run;
  }

  /** Whether all clients were told of the end. */
  boolean allHeardTheEnd() throws Exception {
    boolean all = true;
    for (Future<Boolean> client : clients) {
      all &= client.get(LIMIT_SECONDS, SECONDS);
    }
    return all;
  }

  @Override
  public void close() {
    root.detachAppender(log);
    root.setAdditive(true);
    List.copyOf(present).forEach(FederationClient::close);
    threads.shutdownNow();
  }
}
