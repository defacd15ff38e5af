package dev.lockstep.federated;

import dev.lockstep.data.Dataset;
import dev.lockstep.federated.FederationClient.Trained;
import dev.lockstep.federated.aggregation.SealedUpdate;
import dev.lockstep.federated.aggregation.SecureEncoding;
import dev.lockstep.federated.client.ClientTrainer;
import dev.lockstep.federated.client.ClientUpdate;
import dev.lockstep.federated.client.PersonalLayers;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.network.Frame;
import dev.lockstep.federated.network.ServerConnection;
import dev.lockstep.federated.privacy.SecureAggregationException;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One connection of a client: it does what the server asks. Owns none of its arguments. */
final class ClientResponder implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ClientResponder.class);

  private final int number;
  private final Dataset dataset;
  private final long[] samples;
  private final ServerConnection server;
  private final ClientTrainer trainer;
  private final OwnLayers own;
  private final Protocol protocol;
  private final Optional<SecureEncoding> encoding;
  private final Optional<PersonalLayers> personal;

  /** The change of the newest round, where the server gets only the sum with others. */
  private @Nullable SealedUpdate sealed;

  ClientResponder(
      FederationConfig config,
      int number,
      Dataset dataset,
      long[] samples,
      ServerConnection server,
      ClientTrainer trainer,
      OwnLayers own) {
    this.number = number;
    this.dataset = dataset;
    this.samples = samples;
    this.server = server;
    this.trainer = trainer;
    this.own = own;
    protocol = new Protocol(trainer.vector());
    encoding = SecureEncoding.of(config, config.clients(), trainer.vector().length());
    personal = PersonalLayers.of(config.personal(), trainer.vector(), own.byClient());
  }

  /**
   * Does what the server asks until it ends the federation; the trainer's model is then the final
   * one.
   *
   * @throws ProtocolException if the server, and nobody else, says what makes no sense
   * @throws IOException if the connection ends before
   */
  void serve(Consumer<Trained> listener) throws IOException {
    boolean ended = false;
    while (!ended) {
      Frame message = server.receive(protocol.mostBytes());
      try {
        ended = answer(message, listener);
      } catch (BufferUnderflowException e) {
        throw new ProtocolException("a message of kind " + message.kind() + " is too short");
      }
    }
  }

  /** Whether the federation has ended with that. */
  private boolean answer(Frame message, Consumer<Trained> listener) throws IOException {
    ByteBuffer body = message.body();
    switch (message.kind()) {
      case Protocol.WORK -> train(body, listener);
      case Protocol.SEALED -> answerSealed(body);
      case Protocol.ASK_LOSS -> tellLoss(body);
      case Protocol.END -> {
        trainer.vector().write(withOwn(protocol.readLast(body)));
        send(Protocol.ENDED);
        return true;
      }
      default -> throw new ProtocolException("a message of kind " + message.kind() + " came");
    }
    return false;
  }

  private void train(ByteBuffer body, Consumer<Trained> listener) throws IOException {
    int round = body.getInt();
    own.beginRound(number, round);
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
      unable(round, e);
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
    send(Protocol.TRAINED, head, model);
    listener.accept(new Trained(round + 1, update.samples(), update.loss()));
  }

  /**
   * Sends an answer. Should the server be gone, what it said last, such as that the federation has
   * ended, is still to be read; and if it said nothing, {@link ServerConnection#receive} fails.
   */
  private void send(int kind, ByteBuffer... parts) {
    try {
      server.send(kind, parts);
    } catch (IOException e) {
      log.debug("An answer of kind {} was not taken: {}", kind, e.getMessage());
    }
  }

  private double[] withOwn(double[] model) {
    return personal.map(layers -> layers.of(number, model)).orElse(model);
  }

  /** Keeps the change, if it is one that can be added up. */
  private ClientUpdate seal(SecureEncoding.Terms terms, int round, ClientUpdate update) {
    close();
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
  private void answerSealed(ByteBuffer body) {
    int round = body.getInt();
    byte[] message = new byte[body.remaining()];
    body.get(message);
    SealedUpdate update = sealed;
    try {
      if (update == null || update.round() != round) {
        throw new IllegalStateException("this client has no change of that round");
      }
      ByteBuffer head = ByteBuffer.allocate(Integer.BYTES).putInt(round).flip();
      send(Protocol.SEALED, head, ByteBuffer.wrap(update.answer(message)));
    } catch (SecureAggregationException | IllegalArgumentException | IllegalStateException e) {
      // The round may go on without this client; the next one is another matter.
      log.warn("Round {}: {}", round + 1, e.getMessage());
      unable(round, e);
    }
  }

  /** So that nobody waits for an answer that does not come. */
  private void unable(int round, RuntimeException why) {
    ByteBuffer head = ByteBuffer.allocate(Integer.BYTES).putInt(round).flip();
    byte[] text = String.valueOf(why.getMessage()).getBytes(StandardCharsets.UTF_8);
    ByteBuffer reason = ByteBuffer.wrap(text, 0, Math.min(text.length, Protocol.SLACK / 2));
    send(Protocol.UNABLE, head, reason);
  }

  private void tellLoss(ByteBuffer body) throws IOException {
    int round = body.getInt();
    own.beginRound(number, round);
    double loss = trainer.loss(dataset, samples, withOwn(protocol.readLast(body)));
    ByteBuffer answer =
        ByteBuffer.allocate(Integer.BYTES + Double.BYTES).putInt(round).putDouble(loss).flip();
    send(Protocol.LOSS, answer);
  }

  /** Forgets the secrets of a round. */
  @Override
  public void close() {
    if (sealed != null) {
      sealed.close();
      sealed = null;
    }
  }
}
