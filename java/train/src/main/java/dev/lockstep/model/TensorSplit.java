package dev.lockstep.model;

import static java.util.Objects.requireNonNull;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.checkpoint.TensorSlice;
import dev.lockstep.comm.Communicator;
import dev.lockstep.model.BlockCode.SlicedParameter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Which layers of a model the ranks of a group compute together, each with a slice of their width:
 * a linear map or an embedding whose outputs are cut (by columns of the product), and the next
 * linear map, whose inputs are (by rows), with nothing but elementwise functions between; an
 * embedding whose rows, the vocabulary, are shared out; or the attention and the feed-forward
 * network of the built-in transformer.
 *
 * <p>Owns the modules that it has made, until {@link #close}; one thread.
 */
public final class TensorSplit implements AutoCloseable {
  private final Model model;
  private final List<SplitSearch.Block> blocks;
  private final Set<String> shared;

  /** Of all parameters, as they are where none is cut yet. */
  private final Map<String, long[]> shapes = new HashMap<>();

  private final Map<Integer, SplitBlock> formed = new HashMap<>();
  private final List<JitModule> owned = new ArrayList<>();

  private TensorSplit(Model model, List<SplitSearch.Block> blocks, Set<String> shared) {
    this.model = model;
    this.blocks = List.copyOf(blocks);
    this.shared = Set.copyOf(shared);
    model.parameters().forEach(each -> shapes.put(each.name(), each.shape()));
  }

  /**
   * Finds the layers of a model whose parameters are whole.
   *
   * @param column names of layers whose outputs are cut; empty, with {@code row}, for all that can
   *     be
   * @param row names of the layers behind them, whose inputs are cut
   * @throws ConfigKeyException if the model cannot be cut so, naming the key
   */
  public static TensorSplit of(Model model, List<String> column, List<String> row) {
    boolean chosen = !column.isEmpty() || !row.isEmpty();
    SplitSearch search = new SplitSearch(model);
    List<SplitSearch.Block> blocks = chosen ? search.named(column, row) : search.all();
    for (SplitSearch.Block block : blocks) {
      for (Stage stage : model.stages().subList(block.first(), block.last() + 1)) {
        if (model.isRecomputed(stage)) {
          throw new ConfigKeyException(
              "model.recompute",
              "names "
                  + stage.name()
                  + ", which several ranks compute together; leave it out there, or cut other layers"
                  + " with strategy.tensor.");
        }
      }
    }
    return new TensorSplit(model, blocks, search.shared());
  }

  /** Whether there is no layer that can be cut. */
  public boolean isEmpty() {
    return blocks.isEmpty();
  }

  /** The most ranks of which each has something of every block. */
  public int mostRanks() {
    int most = Integer.MAX_VALUE;
    for (SplitSearch.Block block : blocks) {
      for (Map.Entry<String, SlicedParameter> sliced : block.sliced().entrySet()) {
        SlicedParameter cut = sliced.getValue();
        long length = shape(sliced.getKey())[cut.dimension()];
        most = (int) Math.min(most, length / cut.groups() / cut.unit());
      }
    }
    return most;
  }

  private long[] shape(String parameter) {
    return Objects.requireNonNull(shapes.get(parameter), parameter).clone();
  }

  /**
   * How the parameters that are cut are shared out.
   *
   * @return by name, the slices in the order of the ranks
   */
  public Map<String, List<TensorSlice>> slices(int ranks) {
    Map<String, List<TensorSlice>> slices = new LinkedHashMap<>();
    for (SplitSearch.Block block : blocks) {
      block
          .sliced()
          .forEach(
              (name, cut) -> {
                long[] shape = shape(name);
                long outer = cut.groups();
                long inner = 1;
                for (int i = 0; i < shape.length; i++) {
                  if (i < cut.dimension()) {
                    outer *= shape[i];
                  } else if (i > cut.dimension()) {
                    inner *= shape[i];
                  }
                }
                long length = shape[cut.dimension()] / cut.groups();
                slices.put(name, TensorSlice.shareOut(outer, length, inner, cut.unit(), ranks));
              });
    }
    return slices;
  }

  /** The shape of a slice of a parameter. */
  public long[] shape(String parameter, TensorSlice slice) {
    long[] shape = shape(parameter);
    for (SplitSearch.Block block : blocks) {
      SlicedParameter cut = block.sliced().get(parameter);
      if (cut != null) {
        shape[cut.dimension()] = cut.groups() * slice.count();
      }
    }
    return shape;
  }

  /** The biases of sums over ranks: the first rank has them, and the others add nothing. */
  public Set<String> onFirstRank() {
    Set<String> names = new HashSet<>();
    blocks.stream()
        .map(SplitSearch.Block::added)
        .filter(name -> !name.isEmpty())
        .forEach(names::add);
    return names;
  }

  /**
   * The parameters that several layers use: a pass, which is in parts, may give each of them
   * several gradients, one after the other.
   */
  public Set<String> shared() {
    return shared;
  }

  /**
   * Has the model compute the blocks on the ranks of a group, from now on.
   *
   * @param ranks of the group, which is not closed
   */
  public void apply(Communicator ranks) {
    try (PointerScope scope = new PointerScope()) {
      for (SplitSearch.Block block : blocks) {
        formed.put(block.first(), form(block, ranks));
      }
    }
    model.split(this);
  }

  private SplitBlock form(SplitSearch.Block block, Communicator ranks) {
    List<Stage> stages = model.stages().subList(block.first(), block.last() + 1);
    JitModule last = stages.get(stages.size() - 1).module();
    BlockCode code = block.code();
    List<JitModule> inside = new ArrayList<>();
    stages.subList(0, stages.size() - 1).forEach(stage -> inside.add(stage.module()));
    if (stages.size() == 1 && code.inside().isEmpty()) {
      String table = block.sliced().keySet().iterator().next();
      TensorSlice rows = requireNonNull(slices(ranks.size()).get(table), table).get(ranks.rank());
      String weight = block.sliced().values().iterator().next().name();
      inside.add(own(SplitCode.lookingUp(weight, rows).insideModule(last)));
    } else {
      inside.add(code.inside().isEmpty() ? last : own(code.insideModule(last)));
    }
    String name =
        stages.size() == 1
            ? stages.get(0).toString()
            : stages.get(0).name() + " to " + stages.get(stages.size() - 1);
    return new SplitBlock(
        name,
        block.first(),
        code.enterModule(last).map(this::own),
        inside,
        code.leave().equals("y") ? Optional.empty() : Optional.of(own(code.leaveModule())),
        ranks);
  }

  private JitModule own(JitModule module) {
    owned.add(module);
    return module;
  }

  @Nullable SplitBlock beginningAt(int stage) {
    return formed.get(stage);
  }

  /** The whole model, without gradients. */
  Tensor forward(Tensor inputs) {
    Tensor current = inputs;
    List<Stage> stages = model.stages();
    for (int i = 0; i < stages.size(); i++) {
      SplitBlock block = formed.get(i);
      if (block == null) {
        current = stages.get(i).forward(current);
      } else {
        current = block.forward(current);
        i += block.stageCount() - 1;
      }
    }
    return current;
  }

  void setTraining(boolean training) {
    formed.values().forEach(block -> block.setTraining(training));
  }

  /** Has the model compute as one rank alone again. */
  @Override
  public void close() {
    model.split(null);
    formed.clear();
    owned.forEach(JitModule::close);
    owned.clear();
  }
}
