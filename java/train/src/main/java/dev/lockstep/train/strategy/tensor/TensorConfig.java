package dev.lockstep.train.strategy.tensor;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code tensor} keys of the strategy.
 *
 * @param column linear layers and embeddings whose outputs are cut, as in {@code [layer0]}; {@code
 *     auto}, in both lists, for all that can be: pairs of linear layers with only elementwise
 *     functions between them, the rows of embeddings, and the attention and feed-forward networks
 *     of the built-in transformer
 * @param row linear layers that take these outputs, each with the slice of its inputs that a rank
 *     has; and embeddings whose rows are shared out
 */
public record TensorConfig(List<String> column, List<String> row) {
  private static final List<String> AUTO = List.of("auto");

  /**
   * Checks that both lists go together.
   *
   * @throws IllegalArgumentException if they do not; the message names the key
   */
  public TensorConfig {
    column = List.copyOf(column);
    row = List.copyOf(row);
    if (column.equals(AUTO) != row.equals(AUTO) || (column.isEmpty() && row.isEmpty())) {
      throw new ConfigKeyException(
          "row",
          "and column must both be auto, or name layers, not " + row + " and " + column + ".");
    }
  }

  /** From the keys that a file gives; without any, all layers that can be cut are. */
  @JsonCreator
  public static TensorConfig of(
      @JsonProperty("column") @Nullable List<String> column,
      @JsonProperty("row") @Nullable List<String> row) {
    if (column == null && row == null) {
      return new TensorConfig(AUTO, AUTO);
    }
    List<String> none = List.of();
    return new TensorConfig(column == null ? none : column, row == null ? none : row);
  }

  /** All layers that can be cut. */
  public static TensorConfig defaults() {
    return of(null, null);
  }

  /** Whether the layers are not named. */
  public boolean finds() {
    return column.equals(AUTO);
  }
}
