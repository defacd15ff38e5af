package dev.lockstep.data.field;

import dev.lockstep.data.DataConfig;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.FeatureConfig.Function;
import dev.lockstep.data.GivenAnswers;
import dev.lockstep.data.Normalization;
import dev.lockstep.data.TargetConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The channels that a configuration asks for, in order. */
final class Channels {
  private final String location;
  private final DataConfig config;
  private final Grid grid;
  private List<Channel> features = new ArrayList<>();
  private List<Channel> targets = new ArrayList<>();
  private final List<String> targetVariables = new ArrayList<>();

  /**
   * Finds them, without climatologies.
   *
   * @param location of the file, for messages
   * @throws IllegalArgumentException if the file does not have what the configuration asks for
   */
  Channels(String location, DataConfig config, Sources sources) {
    this.location = location;
    this.config = config;
    grid = sources.grid();
    config.features().forEach(f -> features.addAll(featureChannels(f, sources)));
    for (TargetConfig target : config.targets()) {
      List<Channel> channels = targetChannels(target, sources);
      targets.addAll(channels);
      channels.forEach(channel -> targetVariables.add(target.variable()));
    }
    requireStep();
    requireUnknownTargets();
  }

  List<Channel> features() {
    return features;
  }

  List<Channel> targets() {
    return targets;
  }

  /** The variable of each target. */
  List<String> targetVariables() {
    return targetVariables;
  }

  /**
   * Gives those that need one their climatology.
   *
   * @param known those of the training, by the name of the source; measured where there is none
   */
  void addClimatologies(Seasons seasons, boolean[] trainingSteps, Map<String, double[]> known) {
    Map<Source, Climatology> measured = new HashMap<>();
    features = withClimatologies(features, measured, seasons, trainingSteps, known);
    targets = withClimatologies(targets, measured, seasons, trainingSteps, known);
  }

  private List<Channel> featureChannels(FeatureConfig feature, Sources sources) {
    Normalization kind =
        feature.normalize() != null
            ? feature.normalize()
            : feature.function() == Function.VALUE ? config.normalize() : Normalization.NONE;
    List<Channel> channels = new ArrayList<>();
    List<? extends Source> found = sources.of(feature);
    for (Source source : found) {
      // Static fields have no season.
      Normalization own =
          source.isStatic() && kind == Normalization.ANOMALY ? Normalization.MEAN_STD : kind;
      for (int lag : feature.lags()) {
        String name = Channel.name(name(feature, source, found.size()), -lag);
        channels.add(new Channel(name, source, -lag - feature.mean() + 1, -lag, own, null));
      }
    }
    return channels;
  }

  /** The feature's own name where it is one channel a lag. */
  private static String name(FeatureConfig feature, Source source, int sources) {
    if (sources == 1) {
      return feature.name();
    }
    return feature.mean() == 1
        ? source.name()
        : "mean" + feature.mean() + "(" + source.name() + ")";
  }

  private List<Channel> targetChannels(TargetConfig target, Sources sources) {
    Normalization kind = target.normalize() == null ? config.normalize() : target.normalize();
    List<Channel> channels = new ArrayList<>();
    for (Source source : sources.of(target)) {
      for (int lead : target.lead()) {
        String name = Channel.name(source.name(), lead);
        channels.add(new Channel(name, source, lead, lead, kind, null));
      }
    }
    return channels;
  }

  private void requireUnknownTargets() {
    Map<List<Object>, String> names = new LinkedHashMap<>();
    targets.forEach(target -> names.put(origin(target), target.name()));
    GivenAnswers.refuse(
        location, features.stream().map(Channels::origin).collect(Collectors.toSet()), names);
  }

  private static List<Object> origin(Channel channel) {
    return List.of(channel.source().name(), channel.first(), channel.last());
  }

  private void requireStep() {
    List<Channel> all = new ArrayList<>(features);
    all.addAll(targets);
    for (Channel channel : all) {
      if (grid.step() < 0 && (channel.first() != 0 || channel.last() != 0)) {
        throw new IllegalArgumentException(
            channel.name()
                + " needs steps along time, but none of data.samples "
                + config.samples()
                + " has coordinates that are times");
      }
    }
  }

  private List<Channel> withClimatologies(
      List<Channel> channels,
      Map<Source, Climatology> measured,
      Seasons seasons,
      boolean[] trainingSteps,
      Map<String, double[]> known) {
    List<Channel> complete = new ArrayList<>();
    for (Channel channel : channels) {
      if (channel.normalization() != Normalization.ANOMALY) {
        complete.add(channel);
        continue;
      }
      double[] saved = known.get(channel.source().name());
      Climatology climatology =
          measured.computeIfAbsent(
              channel.source(),
              source ->
                  saved == null
                      ? Climatology.of(source, grid, seasons, trainingSteps)
                      : new Climatology(seasons, grid.lanes(), grid.cells(), saved));
      complete.add(channel.with(climatology));
    }
    return complete;
  }
}
