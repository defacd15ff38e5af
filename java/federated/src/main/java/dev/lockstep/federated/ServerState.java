package dev.lockstep.federated;

import dev.lockstep.federated.aggregation.PrivacyState;
import dev.lockstep.federated.aggregation.RobustAggregation;
import dev.lockstep.federated.aggregation.ServerOptimizer;
import dev.lockstep.federated.config.Algorithm;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.privacy.NoiseKey;
import dev.lockstep.files.Sha256;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a federation knows between two rounds. Equal on all ranks but for {@link #clientControls}
 * and {@link #personal}, which each rank has of its clients. Not thread-safe.
 */
final class ServerState {
  /** Rounds that are done. */
  int rounds;

  /** Simulated seconds since the beginning. */
  double seconds;

  final double[] model;
  final ServerOptimizer optimizer;
  final RobustAggregation robust;

  final PrivacyState privacy;

  /** SCAFFOLD's c; empty for others. */
  final double[] control;

  /** SCAFFOLD's cᵢ of clients that have taken part, by client. */
  final Map<Integer, float[]> clientControls = new HashMap<>();

  /** Personal layers of clients that have taken part, by client; of this rank's clients. */
  final Map<Integer, float[]> personal = new HashMap<>();

  /** Models that FedBuff's clients still train on, by the number of rounds before them. */
  final TreeMap<Integer, double[]> bases = new TreeMap<>();

  /**
   * Before the first round.
   *
   * @param model its elements, of which the first {@code parameters} are trained; not copied
   * @param noiseKey kept with the rest, so that no round is ever released with two
   */
  ServerState(FederationConfig config, double[] model, int parameters, NoiseKey noiseKey) {
    this.model = model;
    optimizer = new ServerOptimizer(config.serverOptimizer(), parameters);
    robust = new RobustAggregation(config.aggregation(), model.length);
    privacy = new PrivacyState(config.privacy(), noiseKey);
    control = new double[config.algorithm() == Algorithm.SCAFFOLD ? parameters : 0];
    if (config.algorithm() == Algorithm.FEDBUFF) {
      bases.put(0, model.clone());
    }
  }

  /** The vectors that every rank has, in the order in which a checkpoint keeps them. */
  double[][] vectors() {
    return new double[][] {
      model,
      optimizer.first(),
      optimizer.second(),
      optimizer.steps(),
      robust.center(),
      control,
      privacy.clipNorm()
    };
  }

  /** Of the model, as float64 numbers in big-endian order. */
  String sha256() {
    ByteBuffer bytes = ByteBuffer.allocate(model.length * Double.BYTES);
    bytes.asDoubleBuffer().put(model);
    MessageDigest digest = Sha256.digest();
    digest.update(bytes.array());
    return Sha256.hexadecimal(digest);
  }
}
