package dev.lockstep.data.hdf5;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.data.hdf5.Attributes.References;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The dimensions that dimension scales name (HDF5 Dimension Scale Specification; NetCDF-4's use of
 * it in the NetCDF User's Guide, appendix C). A dimension's name is the path of its scale, so
 * dimensions of two groups differ though their names be the same. An unlimited dimension is as long
 * as the longest variable along it.
 */
final class NetcdfDimensions {
  private final Map<Long, String> nameByScale = new HashMap<>();
  private final Map<Long, Long> scaleByDimensionId = new HashMap<>();
  private final Map<String, Long> lengthByName = new HashMap<>();

  /** Fields of MATLAB's structs lack the mark that its arrays have, so one marks the file. */
  private final boolean matlab;

  /** A data set as far as dimensions are concerned. */
  record Shaped(String name, long address, Dataspace space, Map<String, Object> attributes) {}

  NetcdfDimensions(List<Shaped> datasets) {
    matlab = datasets.stream().anyMatch(d -> d.attributes.containsKey("MATLAB_class"));
    for (Shaped dataset : datasets) {
      nameByScale.putIfAbsent(dataset.address, dataset.name);
      if (isScale(dataset)
          && dataset.attributes.get("_Netcdf4Dimid") instanceof long[] id
          && id.length > 0) {
        scaleByDimensionId.putIfAbsent(id[0], dataset.address);
      }
    }
    for (Shaped dataset : datasets) {
      List<String> names = names(dataset);
      for (int d = 0; d < names.size(); d++) {
        if (!names.get(d).isEmpty() && !names.get(d).equals(ArrayFile.SAMPLES)) {
          lengthByName.merge(names.get(d), dataset.space.lengths()[d], Math::max);
        }
      }
    }
  }

  List<Dimension> of(Shaped dataset) {
    List<String> names = names(dataset);
    List<Dimension> dimensions = new ArrayList<>();
    for (int d = 0; d < names.size(); d++) {
      long length = dataset.space.lengths()[d];
      boolean unlimited = dataset.space.limits()[d] == Dataspace.UNLIMITED;
      String name = names.get(d);
      long shared = unlimited ? lengthByName.getOrDefault(name, length) : length;
      dimensions.add(new Dimension(name, shared));
    }
    return dimensions;
  }

  private static boolean isScale(Shaped dataset) {
    return "DIMENSION_SCALE".equals(dataset.attributes.get("CLASS"));
  }

  private List<String> names(Shaped dataset) {
    int rank = dataset.space.rank();
    String[] names = new String[rank];
    Arrays.fill(names, "");
    Object scales = dataset.attributes.get("DIMENSION_LIST");
    if (scales instanceof References references) {
      for (int d = 0; d < Math.min(rank, references.addresses().size()); d++) {
        names[d] = nameByScale.getOrDefault(references.addresses().get(d), "");
      }
    } else if (rank > 1
        && dataset.attributes.get("_Netcdf4Coordinates") instanceof long[] ids
        && ids.length == rank) {
      // A coordinate of several dimensions is a scale itself and names the others by number.
      for (int d = 0; d < rank; d++) {
        Long scale = scaleByDimensionId.get(ids[d]);
        names[d] = scale == null ? "" : nameByScale.getOrDefault(scale, "");
      }
    } else if (rank > 0 && isScale(dataset)) {
      names[0] = nameByScale.getOrDefault(dataset.address, dataset.name);
    } else if (rank > 0) {
      // MATLAB writes the transposed array: what it calls rows is HDF5's last dimension.
      names[matlab ? rank - 1 : 0] = ArrayFile.SAMPLES;
    }
    return List.of(names);
  }
}
