package dev.lockstep.federated.client;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.federated.client.ParameterVector.TensorRange;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The tensors that each client has for itself: it trains them, keeps them for its next round, and
 * sends no change of them (Arivazhagan et al. 2019; of batch norms FedBN, Li et al. 2021). At the
 * server they stay as they began.
 */
public final class PersonalLayers {
  private final int[] elements;

  /** What each client has kept, by client. */
  private final Map<Integer, float[]> kept;

  private PersonalLayers(int[] elements, Map<Integer, float[]> kept) {
    this.elements = elements;
    this.kept = kept;
  }

  /**
   * Those that a configuration names; empty if it names none.
   *
   * @param kept where clients' values are kept
   * @throws ConfigKeyException for a name that no tensor has
   */
  public static Optional<PersonalLayers> of(
      List<String> names, ParameterVector vector, Map<Integer, float[]> kept) {
    if (names.isEmpty()) {
      return Optional.empty();
    }
    List<TensorRange> tensors = vector.tensors();
    for (String name : names) {
      if (tensors.stream().noneMatch(tensor -> isOf(tensor, name))) {
        throw new ConfigKeyException(
            "personal",
            "names "
                + name
                + ", but the model has "
                + String.join(", ", tensors.stream().map(TensorRange::name).toList()));
      }
    }
    if (!vector.isFloat32()) {
      throw new ConfigKeyException("personal", "needs a model of float32 numbers");
    }
    int[] elements =
        tensors.stream()
            .filter(tensor -> names.stream().anyMatch(name -> isOf(tensor, name)))
            .flatMapToInt(tensor -> IntStream.range(tensor.from(), tensor.from() + tensor.count()))
            .toArray();
    return Optional.of(new PersonalLayers(elements, kept));
  }

  /** A name stands for a tensor, or for all of a layer. */
  private static boolean isOf(TensorRange tensor, String name) {
    return tensor.name().equals(name) || tensor.name().startsWith(name + ".");
  }

  /** The server's model with a client's own layers, if it has kept some. */
  public double[] of(int client, double[] model) {
    double[] own = model.clone();
    float[] values = kept.get(client);
    for (int i = 0; values != null && i < elements.length; i++) {
      own[elements[i]] = values[i];
    }
    return own;
  }

  /**
   * Keeps what a client has trained.
   *
   * @param update is changed
   * @param model with which the client ended
   * @return the update without a change of its own layers
   */
  public ClientUpdate keep(int client, ClientUpdate update, Supplier<double[]> model) {
    if (update.finite()) {
      double[] end = model.get();
      float[] values = new float[elements.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) end[elements[i]];
      }
      kept.put(client, values);
    }
    for (int element : elements) {
      update.change()[element] = 0;
    }
    return update;
  }

  /** Puts the server's values back where a client has its own, so that they are not sent. */
  public double[] without(double[] end, double[] base) {
    for (int element : elements) {
      end[element] = base[element];
    }
    return end;
  }
}
