import { expect, it } from 'vitest'
import { cloudsHere } from '../../../src/grid/locate/clouds-here.ts'
import { fakeSysfs, type Tree } from '../../fixtures/fake-sysfs.ts'

const here = (dmi: Tree) =>
  cloudsHere(
    fakeSysfs(Object.fromEntries(Object.entries(dmi).map(([file, text]) => [`class/dmi/id/${file}`, text])))
      .path,
  )

it.each([
  ['a Nitro instance of AWS', { sys_vendor: 'Amazon EC2\n', product_name: 'm7g.large\n' }, ['aws']],
  [
    'a Xen instance of AWS',
    { sys_vendor: 'Xen\n', product_name: 'HVM domU\n', bios_version: '4.11.amazon\n' },
    ['aws'],
  ],
  [
    'Azure',
    {
      sys_vendor: 'Microsoft Corporation\n',
      product_name: 'Virtual Machine\n',
      chassis_asset_tag: '7783-7084-3265-9085-8269-3286-77\n',
    },
    ['azure'],
  ],
  ['Hyper-V', { sys_vendor: 'Microsoft Corporation\n', chassis_asset_tag: '1234\n' }, []],
  ['Compute Engine', { sys_vendor: 'Google\n', product_name: 'Google Compute Engine\n' }, ['gcp']],
  ['a Chromebook', { sys_vendor: 'Google\n', product_name: 'Eve\n' }, []],
  ['a laptop', { sys_vendor: 'LENOVO\n', product_name: '20XW\n', bios_version: 'N32ET\n' }, []],
  ['Xen at home', { sys_vendor: 'Xen\n', product_name: 'HVM domU\n', bios_version: '4.11\n' }, []],
])('%s is known by its firmware', (_machine, dmi, clouds) => {
  expect(here(dmi)).toEqual({ clouds, isSure: true })
})

it('a machine whose firmware says nothing may be of any cloud', () => {
  expect(here({})).toEqual({ clouds: ['aws', 'azure', 'gcp'], isSure: false })
})
