package dev.lockstep.federated;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.aggregation.SealedUpdate;
import dev.lockstep.federated.aggregation.SecureEncoding;
import dev.lockstep.federated.client.Attackers;
import dev.lockstep.federated.client.ClientTrainer;
import dev.lockstep.federated.client.ClientUpdate;
import dev.lockstep.federated.client.PersonalLayers;
import dev.lockstep.federated.config.Algorithm;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.federated.population.Assignment;
import dev.lockstep.federated.population.Partition;
import dev.lockstep.federated.population.RoundPlan;
import dev.lockstep.federated.privacy.SecureAggregationException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Clients that the ranks train one after the other, each on its own part of the data. */
final class SimulatedClients implements Clients {
  private static final Logger log = LoggerFactory.getLogger(SimulatedClients.class);

  private final boolean haveHomes;
  private final Dataset dataset;
  private final Partition partition;
  private final Communicator communicator;
  private final ClientTrainer trainer;
  private final Attackers attackers;
  private final Optional<PersonalLayers> personal;
  private final Optional<SecureEncoding> encoding;

  private final Protocol protocol;
  private final boolean corrects;

  /** Bytes of the round besides the work of clients, and their models where those are sent. */
  private long otherBytes;

  /** Of this rank's clients of the round, where the server is to learn their sum only. */
  private final Map<Integer, SealedUpdate> sealed = new TreeMap<>();

  SimulatedClients(
      FederationPlan plan,
      Dataset dataset,
      Partition partition,
      int classes,
      Communicator communicator,
      ClientTrainer trainer,
      ServerState state) {
    personal = PersonalLayers.of(plan.federation().personal(), trainer.vector(), state.personal);
    corrects = plan.federation().algorithm() == Algorithm.SCAFFOLD;
    haveHomes = personal.isPresent() || corrects;
    protocol = new Protocol(trainer.vector());
    this.dataset = dataset;
    this.partition = partition;
    this.communicator = communicator;
    this.trainer = trainer;
    attackers =
        new Attackers(plan.federation().attack(), partition.clients(), classes, plan.seed());
    encoding = SecureEncoding.of(plan.federation(), partition.clients(), trainer.vector().length());
  }

  @Override
  public int count() {
    return partition.clients();
  }

  @Override
  public int samples(int client) {
    return partition.size(client);
  }

  @Override
  public boolean isSimulated() {
    return true;
  }

  @Override
  public boolean await(int round) {
    otherBytes = 0;
    return true;
  }

  @Override
  public double[] losses(int round, int[] candidates, double[] model) {
    otherBytes += (long) candidates.length * protocol.vectorBytes();
    double[] losses = new double[candidates.length];
    for (int i = 0; i < candidates.length; i++) {
      int client = candidates[i];
      if (client % communicator.size() == communicator.rank()) {
        losses[i] = trainer.loss(dataset, partition.samples(client), ofClient(client, model));
      }
    }
    return losses.length == 0 ? losses : communicator.allReduce(losses, ReduceOp.SUM);
  }

  @Override
  public boolean train(
      int round, List<Assignment> assignments, IntFunction<Work> work, Receiver receiver) {
    sealed.clear();
    int[] ranks = ranks(assignments);
    for (int i = 0; i < ranks.length; i++) {
      if (ranks[i] == communicator.rank()) {
        Work asked = work.apply(i);
        ClientUpdate update = train(round, asked);
        receiver.answered(i, asked.terms() == null ? update : seal(round, i, asked, update));
      }
    }
    return true;
  }

  private ClientUpdate seal(int round, int number, Work work, ClientUpdate update) {
    if (!update.finite()) {
      return update;
    }
    try {
      sealed.put(
          number,
          new SealedUpdate(
              encoding.orElseThrow(), requireNonNull(work.terms()), round, update.change()));
      return update.withoutChange(true);
    } catch (SecureAggregationException e) {
      log.warn("Round {}: client {}: {}", round + 1, work.client(), e.getMessage());
      return update.withoutChange(false);
    }
  }

  @Override
  public Map<Integer, byte[]> secureStage(int round, Map<Integer, byte[]> messages) {
    ByteArrayOutputStream own = new ByteArrayOutputStream();
    messages.forEach(
        (number, message) -> {
          SealedUpdate update = sealed.get(number);
          if (update != null) {
            byte[] answer = update.answer(message);
            ByteBuffer head = ByteBuffer.allocate(2 * Integer.BYTES);
            own.writeBytes(head.putInt(number).putInt(answer.length).array());
            own.writeBytes(answer);
          }
        });
    Map<Integer, byte[]> all = new TreeMap<>();
    for (byte[] ofRank : communicator.allGather(own.toByteArray())) {
      ByteBuffer answers = ByteBuffer.wrap(ofRank);
      while (answers.hasRemaining()) {
        int number = answers.getInt();
        byte[] answer = new byte[answers.getInt()];
        answers.get(answer);
        all.put(number, answer);
      }
    }
    for (Map<Integer, byte[]> sent : List.of(messages, all)) {
      otherBytes += sent.values().stream().mapToLong(message -> message.length).sum();
    }
    return all;
  }

  private double[] ofClient(int client, double[] model) {
    return personal.map(layers -> layers.of(client, model)).orElse(model);
  }

  private ClientUpdate train(int round, Work work) {
    int client = work.client();
    ClientUpdate trained =
        trainer.train(
            attackers.dataOf(client, dataset),
            partition.samples(client),
            ofClient(client, work.base()),
            work.correction(),
            work.seed());
    ClientUpdate shared =
        personal
            .map(layers -> layers.keep(client, trained, trainer.vector()::read))
            .orElse(trained);
    return attackers.sent(shared, client, round);
  }

  /**
   * Which rank trains what: clients with something of their own have a home, others go where the
   * least is to do.
   */
  private int[] ranks(List<Assignment> assignments) {
    int[] rank = new int[assignments.size()];
    if (haveHomes) {
      Arrays.setAll(rank, i -> assignments.get(i).client() % communicator.size());
      return rank;
    }
    long[] load = new long[communicator.size()];
    IntStream.range(0, rank.length)
        .boxed()
        .sorted(Comparator.comparingInt(i -> -partition.size(assignments.get(i).client())))
        .forEach(
            i -> {
              for (int r = 1; r < load.length; r++) {
                rank[i] = load[r] < load[rank[i]] ? r : rank[i];
              }
              load[rank[i]] += partition.size(assignments.get(i).client());
            });
    return rank;
  }

  /** As many as a network would carry, without the headers of messages. */
  @Override
  public long bytes(RoundPlan round) {
    int correction = corrects ? protocol.bytesOf(trainer.vector().parameters()) : 0;
    long work = (long) round.selected() * (protocol.vectorBytes() + correction);
    long models =
        encoding.isPresent() ? 0 : (long) round.assignments().size() * protocol.vectorBytes();
    return work + models + otherBytes;
  }

  @Override
  public void finish(double[] model) {}
}
