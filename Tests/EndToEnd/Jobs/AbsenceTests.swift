import Control
import Glibc
import Model
import Platform
