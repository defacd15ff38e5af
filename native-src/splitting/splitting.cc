#include "splitting/splitting.h"

#include <utility>

namespace lockstep::splitting {

std::unique_ptr<Splitting> make_splitting(std::shared_ptr<Communicator> group, const Network& network,
                                          const Options& options) {
  return options.form == Form::DENSE ? make_dense(std::move(group), network, options)
                                     : make_sparse(std::move(group), network, options);
}

}  // namespace lockstep::splitting
