package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DataPartitioner;
import dev.lockstep.data.field.Baselines;
import dev.lockstep.data.field.FieldDataset;
import dev.lockstep.data.field.MapGrid;
import dev.lockstep.data.field.Regions;
import dev.lockstep.monitor.FieldMaps;
import dev.lockstep.monitor.TestScores;
import dev.lockstep.train.engine.BatchReader;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Scores the samples kept for the end, the network's beside the baselines', over the whole grid and
 * over each region. Each rank takes its partition and all merge what they found in rank order, so
 * that all know the same.
 */
final class TestSet {
  private final TrainingAssembly run;
  private final FieldDataset dataset;
  private final Communicator communicator;
  private final Baselines baselines;
  private final Regions regions;
  private final AreaScores everywhere;
  private final Map<String, AreaScores> byRegion = new LinkedHashMap<>();
  private final Optional<MapSums> maps;

  TestSet(TrainingAssembly run, FieldDataset dataset) {
    this.run = run;
    this.dataset = dataset;
    communicator = run.mesh.data();
    baselines = new Baselines(dataset);
    regions = dataset.regions();
    double[] weights =
        dataset.cellWeights().length > 0 ? dataset.cellWeights() : ones(dataset.cells());
    List<String> names = baselines.names();
    everywhere = new AreaScores(weights, dataset.targetNames(), names);
    regions
        .names()
        .forEach(name -> byRegion.put(name, new AreaScores(weights, dataset.targetNames(), names)));
    maps = MapGrid.of(dataset).map(grid -> new MapSums(dataset, grid));
  }

  private static double[] ones(int count) {
    double[] ones = new double[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  /** Scores the network as it is; collective. */
  TestScores score(long[] samples) {
    DataPartitioner.Range share =
        new DataPartitioner(samples.length, communicator.size()).partition(communicator.rank());
    try (BatchReader reader =
        new BatchReader(dataset, run.normalizers(), false, run.model.type(), 1)) {
      for (int i = (int) share.from(); i < share.to(); i++) {
        add(samples[i], predict(reader, samples, i), i == 0);
      }
    }
    boolean together = oneUnit();
    Map<String, TestScores.Area> areas = new LinkedHashMap<>();
    TestScores.Area whole = everywhere.merged(communicator, together);
    byRegion.forEach((name, scores) -> areas.put(name, scores.merged(communicator, together)));
    return new TestScores(samples.length, whole, areas);
  }

  /** What the maps of the scored samples show; collective, after {@link #score}. */
  Optional<FieldMaps> maps() {
    return maps.map(sums -> sums.merged(communicator));
  }

  private double[] predict(BatchReader reader, long[] samples, int index) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      reader.load(samples, index, 1);
      Tensor all = run.role.compute().predict(reader.samples().inputs());
      Tensor output = run.loss.point(all, dataset.targetShape()[0]);
      Tensor dense = output.to(ScalarType.Double).contiguous();
      double[] values = new double[(int) dense.numel()];
      new DoublePointer(dense.data_ptr()).get(values);
      if (!run.loss.classifies()) {
        run.normalizers().targets().invert(values, 1, dataset.cells());
      }
      dataset.restoreTargets(samples[index], values, 0);
      return values;
    }
  }

  private void add(long sample, double[] predicted, boolean first) {
    double[] truth = new double[predicted.length];
    baselines.truth(sample, truth);
    Map<String, double[]> others = new LinkedHashMap<>();
    for (String name : baselines.names()) {
      double[] baseline = new double[predicted.length];
      baselines.predict(name, sample, baseline);
      others.put(name, baseline);
    }
    everywhere.add(predicted, truth, others);
    int region = 0;
    for (AreaScores scores : byRegion.values()) {
      scores.add(predicted, regions.inside(region++, dataset.point(sample), truth), others);
    }
    double[] climatology = Objects.requireNonNull(others.get(Baselines.CLIMATOLOGY));
    maps.ifPresent(sums -> sums.add(sample, predicted, truth, climatology, first));
  }

  private boolean oneUnit() {
    Set<String> units = new HashSet<>();
    dataset
        .targetVariables()
        .forEach(variable -> units.add(dataset.units().getOrDefault(variable, "")));
    return units.size() == 1;
  }
}
