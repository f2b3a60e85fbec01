//! numpy's numbers and arrays inside pickles.

use super::calls::arg;
use super::machine::{Heap, Machine, Obj};
use crate::error::{Result, bail};
use crate::numpy::{NumpyDType, tensor_from};
use cresset_tensor::{Scalar, Tensor};

impl Machine<'_> {
    /// `numpy.dtype('f8', False, True)`.
    pub(super) fn numpy_dtype(&mut self, args: &[Obj]) -> Result<Obj> {
        let Some(&name) = args.first() else { bail!("a numpy dtype has no name") };
        let dtype = NumpyDType::parse(&self.str(name)?)?;
        Ok(self.make(Heap::NumpyDType(dtype)))
    }
    /// Its state, `(3, '<', None, None, None, -1, -1, 0)`: the byte order.
    pub(super) fn numpy_dtype_state(&self, mut dtype: NumpyDType, state: Obj) -> Result<NumpyDType> {
        match &*self.str(arg(self.sequence(state)?, 1)?)? {
            ">" => dtype.big_endian = true,
            "<" | "|" | "=" => dtype.big_endian = false,
            other => bail!("a numpy dtype has the byte order {other:?}"),
        }
        Ok(dtype)
    }
    fn dtype_of(&self, o: Obj) -> Result<NumpyDType> {
        match o {
            Obj::Heap(i) => match &self.heap[i as usize] {
                Heap::NumpyDType(d) => Ok(*d),
                _ => bail!("a numpy dtype is expected"),
            },
            _ => bail!("a numpy dtype is expected"),
        }
    }
    /// `scalar(dtype, bytes)`: a plain number.
    pub(super) fn numpy_scalar(&mut self, args: &[Obj]) -> Result<Obj> {
        let dtype = self.dtype_of(arg(args, 0)?)?;
        let raw = self.raw_bytes(arg(args, 1)?)?;
        Ok(match tensor_from(&raw, dtype, &[], false)?.scalar() {
            Scalar::Bool(b) => Obj::Bool(b),
            Scalar::Int(i) => Obj::Int(i),
            Scalar::Float(x) => Obj::Float(x),
        })
    }
    /// The state of an array: `(1, shape, dtype, is it in Fortran order, bytes)`.
    pub(super) fn numpy_array(&mut self, state: Obj) -> Result<Tensor> {
        let state = self.sequence(state)?;
        if state.len() > 8 {
            bail!("the state of a numpy array has {} parts", state.len());
        }
        let state = state.to_vec();
        let shape = self.counts("a size", arg(&state, 1)?)?;
        let dtype = self.dtype_of(arg(&state, 2)?)?;
        let Obj::Bool(fortran) = arg(&state, 3)? else { bail!("a numpy array's order is no bool") };
        let raw = self.raw_bytes(arg(&state, 4)?)?;
        self.spend(raw.len())?;
        tensor_from(&raw, dtype, &shape, fortran)
    }
    /// `_frombuffer(bytes, dtype, shape, order)`, of protocol 5.
    pub(super) fn numpy_from_buffer(&mut self, args: &[Obj]) -> Result<Obj> {
        let raw = self.raw_bytes(arg(args, 0)?)?;
        let dtype = self.dtype_of(arg(args, 1)?)?;
        let shape = self.counts("a size", arg(args, 2)?)?;
        let fortran = &*self.str(arg(args, 3)?)? == "F";
        self.spend(raw.len())?;
        let tensor = tensor_from(&raw, dtype, &shape, fortran)?;
        Ok(self.make(Heap::Array(Some(tensor))))
    }
}
